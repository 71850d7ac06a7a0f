"""The contract of heads."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Head(Protocol):
    """Protocol of heads: a `torch.nn.Module` that maps the fused vector to logits.

    Its constructor takes `width`, the width of the vector, and `outputs`, the number of logits. Keyword-only parameters
    are the user's options. The file of a head may declare which tasks it suits, by name or trait; the default is
    all:

        TASKS = ("multiclass",)

    Example:
        >>> import torch
        >>> class TwoLayers(torch.nn.Sequential):
        ...     def __init__(self, width, outputs, *, hidden: int = 32):
        ...         super().__init__(torch.nn.Linear(width, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs))
        >>> TwoLayers(128, 3)(torch.zeros(5, 128)).shape
        torch.Size([5, 3])
    """

    def __init__(self, width: int, outputs: int) -> None: ...

    def __call__(self, fused: Float[Tensor, "b d"]) -> Float[Tensor, "b k"]:
        """Map each row, independently of the others."""
