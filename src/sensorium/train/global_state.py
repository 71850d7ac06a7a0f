"""The global state that the code of callbacks may change and training depends on: that of torch, the folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

Setting: TypeAlias = tuple[Callable[[], Any], Callable[[Any], object]]


@contextmanager
def global_state_restored(device: torch.device) -> Iterator[None]:
    """Restore on exit what is global: torch's random generators, types, devices, threads, gradients, algorithms; and
    the current folder, as the folder of a run may be relative to it.

    Args:
        device: the device that the model is trained on.

    Raises:
        RuntimeError: torch is left in inference mode or in the context of a device, which only the code that entered
            it can leave.
    """
    before = [get() for get, _ in SETTINGS]
    inference, entered = torch.is_inference_mode_enabled(), torch.empty(0).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []), np.errstate():
        try:
            yield
        finally:
            for (get, change), value in zip(SETTINGS, before, strict=True):
                if get() != value:
                    change(value)
        if torch.is_inference_mode_enabled() != inference:
            raise RuntimeError("it leaves torch in inference mode; use `with torch.inference_mode():`")
        if torch.empty(0).device != entered:
            raise RuntimeError("it leaves torch in the context of a device; use `with torch.device(…):`")


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None


def _change_folder(folder: Path | None) -> None:
    if folder is not None and folder.is_dir():  # else the callback removed it
        os.chdir(folder)


def _change_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)  # one that is set slows every call


def _algorithms() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _change_algorithms(state: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(state[0], warn_only=state[1])


def _anomalies() -> tuple[bool, bool]:
    return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()


def _change_anomalies(state: tuple[bool, bool]) -> None:
    torch.autograd.set_detect_anomaly(*state)


def _flag(name: str) -> Setting:
    """Return a flag of cuDNN."""
    return lambda: getattr(torch.backends.cudnn, name), lambda value: setattr(torch.backends.cudnn, name, value)


SETTINGS: tuple[Setting, ...] = (
    (_folder, _change_folder),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_default_device, _change_device),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (_algorithms, _change_algorithms),
    (_anomalies, _change_anomalies),
    (partial(torch.is_autocast_enabled, "cpu"), partial(torch.set_autocast_enabled, "cpu")),
    (partial(torch.is_autocast_enabled, "cuda"), partial(torch.set_autocast_enabled, "cuda")),
    (lambda: torch.backends.mkldnn.enabled, lambda value: setattr(torch.backends.mkldnn, "enabled", value)),
    *(_flag(name) for name in ("enabled", "benchmark", "deterministic")),
)
