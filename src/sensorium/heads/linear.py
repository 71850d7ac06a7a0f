"""`W x + b`: a matrix and a bias; the usual one."""

from __future__ import annotations

from torch import nn


class Linear(nn.Linear):
    """`W x + b`.

    Args:
        width: of x.
        outputs: number of logits.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__(width, outputs)
