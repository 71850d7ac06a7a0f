"""The contract that every head keeps."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Head(Protocol):
    """A `torch.nn.Module` that makes logits of the fused vector.

    Its constructor is given `width`, that of the vector, and `outputs`, how many logits; keyword-only parameters are
    the user's options. The file of a head may say which tasks it suits, as a literal that a listing can read; without
    it all are suited:

        TASKS = ("multiclass",)

    Example:
        >>> import torch
        >>> class TwoLayers(torch.nn.Sequential):
        ...     def __init__(self, width, outputs, *, hidden: int = 32):
        ...         super().__init__(torch.nn.Linear(width, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs))
        >>> TwoLayers(128, 3)(torch.zeros(5, 128)).shape
        torch.Size([5, 3])
    """

    def __call__(self, fused: Float[Tensor, "b d"]) -> Float[Tensor, "b k"]:
        """Each row by itself."""
