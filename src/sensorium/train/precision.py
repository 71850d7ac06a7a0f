"""Numbers of half the size where they are fast enough and good enough: mixed precision."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from sensorium.errors import ConfigError

KINDS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """Mixed precision (Micikevicius et al. 2017, arXiv:1710.03740).

    Encoders, fusion and head compute in it; weights, their updates, losses, techniques and validation stay in float32,
    so that what is validated is what the saved model answers. float16 has few exponents: losses are scaled up so that
    small gradients don't vanish, and a step whose gradients overflow is left out.

    Args:
        kind: auto, float32, bfloat16 or float16; auto is bfloat16 on accelerators that have it, else float32.
        device: where the model is.

    Raises:
        ConfigError: the device does not compute in it.
    """

    def __init__(self, kind: str, device: torch.device) -> None:
        self.device = device
        self.dtype = KINDS[_best(device) if kind == "auto" else kind]
        _check(kind, self.dtype, device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.dtype == torch.float16)

    def forward(self) -> AbstractContextManager[Any]:
        """Within, matrix products and convolutions are computed in it."""
        return torch.autocast(self.device.type, self.dtype) if self.dtype else nullcontext()

    def backward(self, loss: Tensor) -> None:
        self._scaler.scale(loss).backward()

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Give gradients their true size, before anything looks at them."""
        self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        self._scaler.step(optimizer)
        self._scaler.update()

    def to_tree(self) -> dict[str, Any]:
        return self._scaler.state_dict()

    def restore(self, tree: Mapping[str, Any]) -> None:
        if tree:
            self._scaler.load_state_dict(dict(tree))


def _best(device: torch.device) -> str:
    return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"


def _check(kind: str, dtype: torch.dtype | None, device: torch.device) -> None:
    if dtype is None:
        return
    rule = f"on {device.type}"
    if dtype == torch.float16 and device.type == "cpu":
        rule = "CPUs compute in it more slowly than in float32, where at all"
    elif torch.amp.is_autocast_available(device.type):
        return
    cure = "auto, float32" if device.type != "cpu" else "bfloat16, float32"
    raise ConfigError(f"precision {kind!r} can't be used", place="train.precision", rule=rule, cure=cure)
