"""Statistics of the channels of a series, standardised with those of the training rows.

Their names and constants are those of `prepare/summaries/series.py`, which summarizes series without gaps in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from sensorium.batch import Cells
from sensorium.prepare.summaries.series import BANDS, LAGS, SMALLEST, TAILS, WINDOW, WINDOW_QUANTILES

QUANTILES = (0.0, *TAILS, 1.0)
FLOOR = 1e-8  # of power, before its logarithm


class ChannelStatistics(nn.Module):
    """Statistics of each channel: series (b, t, 2·c), values and then 1 where they are known → (b, c·k).

    Moments, quantiles, first and last value, slope, number of steps, share of gaps; moments of the changes from step to
    step; autocorrelations; logarithms of the power in frequency bands; spread of windows of 32 steps. Gaps and padding
    count nowhere. Each statistic is standardised with its mean and deviation over the training rows.

    Args:
        channels: number of channels c.
        steps: largest number of steps, which determines the frequency bands.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, steps: int) -> None:
        super().__init__()
        self.channels, self.points = channels, max(64, 2 ** (steps - 1).bit_length())
        # by NumPy: a loaded network is first built on the device `meta`, where tensors have no values
        edges = np.logspace(0, np.log10(self.points // 2 + 1), BANDS + 1).round().astype(int)
        self.edges = [int(edge) for edge in np.unique(edges)]
        step = torch.zeros(1, 1, 1)
        of_one = self._statistics(step, step, torch.ones(1))
        self.width = channels * sum(each.shape[-1] for each in of_one.values())
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        return (self.raw(values, mask) - self.mean) / self.deviation

    def raw(self, values: Tensor, mask: Tensor) -> Tensor:
        """Return the statistics before they are standardised, (b, c·k)."""
        return torch.cat(list(self.named(values, mask).values()), -1).flatten(1)

    def named(self, values: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return name → statistics before they are standardised, (b, c, 1) or (b, c, k)."""
        parts = values.transpose(1, 2)  # (b, 2·c, t)
        known = parts[:, self.channels :] * mask[:, None]
        return self._statistics(parts[:, : self.channels] * known, known, mask.sum(1))

    def learn(self, cells: Iterable[Cells]) -> None:
        """Learn mean and deviation of each statistic from the training rows."""
        found = torch.cat([self.raw(each.values.float(), each.mask) for each in cells if each.mask is not None])
        deviation = found.std(0, correction=0)
        self.mean = found.mean(0)
        self.deviation = torch.where(deviation > SMALLEST, deviation, torch.ones_like(deviation))

    def _statistics(self, values: Tensor, known: Tensor, length: Tensor) -> dict[str, Tensor]:
        """Return the statistics from values and known, (b, c, t), and lengths (b); unknown values are zero."""
        count = known.sum(-1, keepdim=True).clamp_min(1)
        mean = values.sum(-1, keepdim=True) / count
        centred = (values - mean) * known
        deviation = (centred.square().sum(-1, keepdim=True) / count).sqrt()
        standard = centred / deviation.clamp_min(SMALLEST)
        skewness, kurtosis = _moments(standard, count)
        first, last = _ends(values, known)
        return {
            "mean": mean,
            "deviation": deviation,
            "skewness": skewness,
            "kurtosis": kurtosis,
            "first": first,
            "last": last,
            "slope": _slope(centred, known),
            "steps": count.log(),
            "gaps": 1 - count / length.clamp_min(1)[:, None, None],
            "quantiles": _quantiles(values, known),
            **_changes(values, known),
            "autocorrelations": torch.cat([_autocorrelation(standard, known, lag) for lag in LAGS], -1),
            "bands": self._bands(standard),
            **_windows(values, known),
        }

    def _bands(self, standard: Tensor) -> Tensor:
        """Return the logarithm of the mean power in frequency bands whose widths grow, (b, c, bands)."""
        power = torch.fft.rfft(standard, n=self.points).abs().square()[..., 1:]
        bands = [power[..., low - 1 : high - 1].mean(-1) for low, high in pairwise(self.edges)]
        return torch.stack(bands, -1).add(FLOOR).log()


def _moments(standard: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Return skewness and kurtosis, on a logarithmic scale: (b, c, 1) each."""
    third, fourth = (standard.pow(power).sum(-1, keepdim=True) / count for power in (3, 4))
    return third.sign() * third.abs().log1p(), fourth.log1p()


def _ends(values: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and the last known value, (b, c, 1) each."""
    places = torch.arange(values.shape[-1], device=values.device)
    last = (places * known).argmax(-1, keepdim=True)
    first = ((places.flip(0) + 1) * known).argmax(-1, keepdim=True)
    return values.gather(-1, first), values.gather(-1, last)


def _slope(centred: Tensor, known: Tensor) -> Tensor:
    """Return the slope of a straight line through the known values over the length of the series, (b, c, 1)."""
    time = torch.arange(centred.shape[-1], device=centred.device, dtype=centred.dtype) * known
    count = known.sum(-1, keepdim=True).clamp_min(1)
    time = (time - time.sum(-1, keepdim=True) / count) * known
    return (time * centred).sum(-1, keepdim=True) / time.square().sum(-1, keepdim=True).clamp_min(SMALLEST) * count


def _quantiles(values: Tensor, known: Tensor, shares: Sequence[float] = QUANTILES) -> Tensor:
    """Return quantiles of the known values, (b, c, shares); zeros if there are none."""
    ordered = torch.where(known > 0, values, torch.inf).sort(-1).values
    last = (known.sum(-1, keepdim=True) - 1).clamp_min(0)
    places = torch.cat([(last * share).round() for share in shares], -1).long()
    return ordered.gather(-1, places).nan_to_num(posinf=0.0)


def _changes(values: Tensor, known: Tensor) -> dict[str, Tensor]:
    """Return moments of the changes between neighbouring known steps, and the share of sign changes, (b, c, 1) each."""
    both = known[..., 1:] * known[..., :-1]
    count = both.sum(-1, keepdim=True).clamp_min(1)
    change = (values[..., 1:] - values[..., :-1]) * both
    power = change.square().sum(-1, keepdim=True) / count
    fourth = change.pow(4).sum(-1, keepdim=True) / count / power.square().clamp_min(FLOOR)
    return {
        "mean_change": change.abs().sum(-1, keepdim=True) / count,
        "root_mean_square_change": power.sqrt(),
        "kurtosis_of_changes": fourth.log1p(),
        "largest_change": change.abs().amax(-1, keepdim=True) if change.shape[-1] else torch.zeros_like(power),
        "crossings": ((values[..., 1:] * values[..., :-1] < 0) * both).sum(-1, keepdim=True) / count,
    }


def _autocorrelation(standard: Tensor, known: Tensor, lag: int) -> Tensor:
    """Return the autocorrelation at a lag, (b, c, 1); 0 for a shorter series."""
    both = known[..., lag:] * known[..., :-lag]
    products = (standard[..., lag:] * standard[..., :-lag] * both).sum(-1, keepdim=True)
    return products / both.sum(-1, keepdim=True).clamp_min(1)


def _windows(values: Tensor, known: Tensor) -> dict[str, Tensor]:
    """Return quartiles of the deviation and of the extremes of windows that have known steps, (b, c, 4) each."""
    steps = values.shape[-1]
    short = -steps % WINDOW
    parts, there = (nn.functional.pad(each, (0, short)).unflatten(-1, (-1, WINDOW)) for each in (values, known))
    count = there.sum(-1)
    mean = parts.sum(-1) / count.clamp_min(1)
    found = {
        "window_deviations": ((parts - mean[..., None]).square() * there).sum(-1).div(count.clamp_min(1)).sqrt(),
        "window_maxima": torch.where(there > 0, parts, -torch.inf).amax(-1).nan_to_num(neginf=0.0),
        "window_minima": torch.where(there > 0, parts, torch.inf).amin(-1).nan_to_num(posinf=0.0),
    }
    real = (count > 0).to(values.dtype)
    return {name: _quantiles(own, real, WINDOW_QUANTILES) for name, own in found.items()}
