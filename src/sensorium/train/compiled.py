"""Compile encoders and fusion for training (`torch.compile`)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch

from sensorium.errors import ConfigError
from sensorium.model import FusionModel

COMPILERS = ("g++", "c++", "clang++", "cl")


@contextmanager
def compiling(model: FusionModel, on: bool) -> Iterator[None]:
    """Within this block, encoders and fusion are compiled at their first call; the saved model is not affected.

    Raises:
        ConfigError: there is no compiler for the model's device.
    """
    parts: list[Any] = []  # modules, whose types are protocols to mypy
    if on:
        check_compiler(next(model.parameters()).device)
        parts = [*(tower.encoder for tower in model.every_tower), model.fusion]
    for part in parts:
        part.compile(dynamic=True)  # batches differ in rows and length
    try:
        yield
    finally:
        for part in parts:
            part._compiled_call_impl = None  # torch has no other way back


def check_compiler(device: torch.device) -> None:
    """Check that there is a compiler for `torch.compile`.

    Raises:
        ConfigError: there is no compiler.
    """
    if device.type == "cpu":
        named = os.environ.get("CXX")
        if not any(map(shutil.which, [named] if named else COMPILERS)):
            rule = f"a C++ compiler: {', '.join(COMPILERS)} or $CXX"
            raise ConfigError("there is no compiler for the CPU", place="train.compile", rule=rule, cure="install g++")
    elif device.type == "cuda" and not find_spec("triton"):
        rule = "the package triton"
        raise ConfigError("there is no compiler for the GPU", place="train.compile", rule=rule, cure="install triton")
