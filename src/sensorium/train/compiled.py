"""Encoders and fusion as compiled code while they train."""

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
    """Within, encoders and fusion are compiled when they are first called; what they are saved as stays the same.

    Raises:
        ConfigError: there is no compiler for the model's device.
    """
    parts: list[Any] = []  # modules, whose kinds are protocols to mypy
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
    """Raises ConfigError where `torch.compile` would fail for want of one."""
    if device.type == "cpu":
        named = os.environ.get("CXX")
        if not any(map(shutil.which, [named] if named else COMPILERS)):
            rule = f"a C++ compiler: {', '.join(COMPILERS)} or $CXX"
            raise ConfigError("nothing compiles for the CPU here", place="train.compile", rule=rule, cure="install g++")
    elif device.type == "cuda" and not find_spec("triton"):
        rule = "the package triton"
        raise ConfigError("nothing compiles for the GPU here", place="train.compile", rule=rule, cure="install triton")
