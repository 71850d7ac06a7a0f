"""Mixed precision."""

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

    Encoders, fusion and head compute in low precision. Weights, updates, losses, techniques and validation stay in
    float32, so that validation measures the saved model. float16 has a small range: losses are scaled up so that small
    gradients do not vanish, and a step whose gradients overflow is skipped.

    Args:
        kind: auto, float32, bfloat16 or float16; auto is bfloat16 on accelerators that support it, else float32.
        device: device of the model.

    Raises:
        ConfigError: the device does not support the precision.
    """

    def __init__(self, kind: str, device: torch.device) -> None:
        self.device = device
        self.dtype = KINDS[_best(device) if kind == "auto" else kind]
        _check(kind, self.dtype, device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.dtype == torch.float16)

    def forward(self) -> AbstractContextManager[Any]:
        """Within this block, matrix products and convolutions are computed in low precision."""
        return torch.autocast(self.device.type, self.dtype) if self.dtype else nullcontext()

    def backward(self, loss: Tensor) -> None:
        self._scaler.scale(loss).backward()

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Undo the scaling of the gradients, before anything reads them."""
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
    rule = f"a precision that {device.type} supports"
    if dtype == torch.float16 and device.type == "cpu":
        rule = "on CPUs float16 is slower than float32 or not supported"
    elif torch.amp.is_autocast_available(device.type):
        return
    cure = "auto, float32" if device.type != "cpu" else "bfloat16, float32"
    finding = f"precision {kind!r} is not supported on {device.type}"
    raise ConfigError(finding, place="train.precision", rule=rule, cure=cure)
