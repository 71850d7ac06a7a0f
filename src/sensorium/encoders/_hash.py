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
            found.update(key.encode() + value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
