"""Align several series of a row as channels of one series."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from sensorium.batch import Cells

FARTHEST = 10.0  # standard deviations to which outliers are clipped, so that they do not dominate


def align(cells: Sequence[Cells]) -> tuple[Tensor, Tensor]:
    """Stack the channels of several series: (b, t, f), and the mask of real steps (b, t).

    Series of one row may differ in length. They are aligned at their last steps, which are at the same time. Before the
    start of a shorter series, and for a missing series, values and presence indicators are zeros, as in a gap. A row
    has as many steps as its longest series, starting at position 0; padding is set to zero.
    """
    lengths = torch.stack([_mask(c).sum(1) for c in cells], 1)  # (b, columns)
    longest = lengths.amax(1, keepdim=True)  # (b, 1)
    steps = torch.arange(reduce(torch.sym_max, (c.values.shape[1] for c in cells)), device=longest.device)  # (t,)
    parts = []
    for series, length in zip(cells, lengths.T, strict=True):
        places = steps - (longest - length[:, None])  # (b, t): which step of this series stands at each place
        real = (places >= 0) & (places < length[:, None])
        index = places.clamp(0, series.values.shape[1] - 1)[..., None].expand(-1, -1, series.values.shape[2])
        values = series.values.gather(1, index).clamp(-FARTHEST, FARTHEST)
        parts.append(torch.where(real[..., None], values, 0.0))
    return torch.cat(parts, 2), steps < longest


def last_step(values: Tensor, mask: Tensor) -> Tensor:
    """Take the values (b, d) at the last real step of each row of (b, t, d)."""
    place = (mask.sum(1) - 1).clamp_min(0)[:, None, None].expand(-1, 1, values.shape[2])
    return values.gather(1, place).squeeze(1)


def _mask(cells: Cells) -> Tensor:
    assert cells.mask is not None
    return cells.mask & cells.present[:, None]
