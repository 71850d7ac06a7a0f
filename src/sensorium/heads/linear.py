"""Linear layer `W x + b`. The default."""

from __future__ import annotations

from torch import nn


class Linear(nn.Linear):
    """Linear layer `W x + b`.

    Args:
        width: width of x.
        outputs: number of logits.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__(width, outputs)
