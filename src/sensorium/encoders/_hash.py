"""Hash of weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def hash_weights(*states: Mapping[str, Tensor], name: str = "") -> str:
    """Return the SHA-256 of a name and of the tensors of one or several modules, with their names."""
    found = hashlib.sha256(name.encode())
    for state in states:
        for key, value in state.items():
            found.update(key.encode() + _bytes(value).numpy().data)
    return found.hexdigest()


def _bytes(value: Tensor) -> Tensor:
    """Return the bytes of a tensor; a tensor of one element may have the stride 0, which `view` refuses."""
    return value.detach().cpu().contiguous().view(-1).as_strided((value.numel(),), (1,)).view(torch.uint8)
