"""Shift audio in time."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, spread, uniform
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("audio",)


class TimeShift(Augmentation):
    """Shifts a clip to start earlier or later; its first or last frame (or sample) is repeated to fill the gap.

    Args:
        probability: probability that a row is changed.
        max_shift: largest shift, as a fraction of the length of the clip.
    """

    def __init__(self, *, probability: Probability = 1.0, max_shift: Probability = 0.1) -> None:
        super().__init__(probability)
        self.max_shift = max_shift

    def change(self, cells: Cells, random: Generator) -> Tensor:
        assert cells.mask is not None
        lengths = cells.mask.sum(1, keepdim=True)  # (b, 1)
        moves = (uniform(-self.max_shift, self.max_shift, lengths.shape, random) * lengths).round().long()
        steps = torch.arange(cells.mask.shape[1], device=lengths.device)
        places = torch.minimum((steps - moves).clamp_min(0), (lengths - 1).clamp_min(0))  # (b, t)
        return cells.values.gather(1, spread(places, cells.values).expand_as(cells.values))
