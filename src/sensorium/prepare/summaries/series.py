"""Summarize time series and sounds as a few numbers per channel.

The encoder `series_statistics` computes statistics of the same names on tensors. It differs where networks need it to:
gaps and padding do not count, and skewed statistics are on a logarithmic scale. Both share the constants below, and a
test compares what is equal by definition.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sensorium.modalities import Ragged
from sensorium.prepare.summaries._images import Features

TAILS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)  # quantiles of the steps, beside minimum and maximum
LAGS = (1, 2, 5, 10, 20)  # of the autocorrelation, in steps
BANDS = 64  # frequency bands of growing width
WINDOW = 32  # steps of a window, whose deviation and extremes are compared with those of other windows
WINDOW_QUANTILES = (0.0, 0.25, 0.75, 1.0)
SMALLEST = 1e-6  # deviation below which values count as equal

FEW = 8  # channels, up to which each gets all statistics; more of them, as of a spectrogram, get the first ones
FEWEST_BANDS = 16  # bands per channel, if there are several channels: together, they have `BANDS`
THIRDS = 3  # parts whose means are used
BLOCK = 2_000_000  # numbers that are summarized at a time


def summarize_series(cells: Ragged) -> Features:
    """Summarize steps: ragged [total, c] → [n, f].

    Each cell gets the statistics of `series_statistics` and the logarithm of its length; zeros if it has no steps.
    """
    lengths, channels = np.diff(cells.offsets), cells.values.shape[1]
    found = np.zeros((len(cells), _width(channels)), np.float32)
    for rows in _of_one_length(lengths, channels):
        length = int(lengths[rows[0]])
        places = cells.offsets[rows][:, None] + np.arange(length)
        steps = np.asarray(cells.values[places], np.float32)  # [rows, length, c]
        each = [own.reshape(len(rows), -1) for own in series_statistics(steps).values()]
        found[rows] = np.concatenate([*each, np.full((len(rows), 1), np.log1p(length))], 1)
    return found


def summarize_waveforms(cells: Ragged) -> Features:
    """Summarize samples, as of waveforms: ragged float[total] → [n, f], as a series of one channel."""
    return summarize_series(Ragged(cells.values[:, None], cells.offsets))


def series_statistics(steps: Features) -> dict[str, Features]:
    """Compute statistics of series of one length.

    Args:
        steps: float32[n, t, c], t ≥ 1.

    Returns:
        Name → [n, c] or [n, k, c]. Of each channel: mean, deviation, extremes, last value, means of thirds, mean
        absolute change. If there are few channels, also: skewness, kurtosis, first value, slope, quantiles, deviation
        and largest of the changes, crossings of the mean, autocorrelations, the logarithm of the power in frequency
        bands, and quartiles of the deviation and of the extremes of windows.
    """
    mean, deviation = steps.mean(1), steps.std(1)
    changes = np.diff(steps, axis=1) if steps.shape[1] > 1 else np.zeros_like(steps)
    thirds = [part.mean(1) if part.shape[1] else mean for part in np.array_split(steps, THIRDS, 1)]
    found = {
        "mean": mean,
        "deviation": deviation,
        "minimum": steps.min(1),
        "maximum": steps.max(1),
        "last": steps[:, -1],
        "thirds": np.stack(thirds, 1),
        "mean_change": np.abs(changes).mean(1),
    }
    if steps.shape[2] > FEW:
        return found
    standard = (steps - mean[:, None]) / (deviation + SMALLEST)[:, None]
    return {
        **found,
        "skewness": (standard**3).mean(1),
        "kurtosis": (standard**4).mean(1),
        "first": steps[:, 0],
        "slope": _slope(standard),
        "quantiles": np.quantile(steps, TAILS, axis=1).transpose(1, 0, 2),
        "deviation_of_changes": changes.std(1),
        "largest_change": np.abs(changes).max(1),
        "crossings": (np.diff(np.signbit(standard), axis=1) != 0).sum(1) / np.float32(steps.shape[1]),
        "autocorrelations": np.stack([_autocorrelation(standard, lag) for lag in LAGS], 1),
        "bands": _bands(standard, _bands_of(steps.shape[2])),
        **_windows(steps),
    }


def _width(channels: int) -> int:
    few = 4 + len(TAILS) + 3 + len(LAGS) + 3 * len(WINDOW_QUANTILES) + _bands_of(channels) if channels <= FEW else 0
    return channels * (6 + THIRDS + few) + 1


def _bands_of(channels: int) -> int:
    return max(FEWEST_BANDS, BANDS // max(1, channels))


def _of_one_length(lengths: Features, channels: int) -> Iterator[np.ndarray]:
    """Yield the rows of each length above 0, in blocks of bounded size."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    for rows in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1) if len(order) else ():
        most = max(1, BLOCK // int(lengths[rows[0]] * max(1, channels)))
        yield from (rows[start : start + most] for start in range(0, len(rows), most))


def _slope(standard: Features) -> Features:
    """Return the slope of a straight line over a time from −1 to 1: [n, t, c] → [n, c]."""
    time = np.linspace(-1, 1, standard.shape[1], dtype=np.float32)
    return np.asarray(np.einsum("t,ntc->nc", time, standard) / max(SMALLEST, float(time @ time)))


def _autocorrelation(standard: Features, lag: int) -> Features:
    return np.asarray((standard[:, lag:] * standard[:, :-lag]).sum(1) / np.float32(standard.shape[1]))


def _bands(standard: Features, count: int) -> Features:
    """Return the logarithm of the mean power in frequency bands whose widths grow: [n, t, c] → [n, bands, c]."""
    power = np.abs(np.fft.rfft(standard, axis=1)) ** 2 / standard.shape[1]
    edges = np.round(np.geomspace(1, max(2, power.shape[1]), count + 1)).astype(np.int64)
    sums = np.concatenate([np.zeros_like(power[:, :1]), np.cumsum(power, 1, dtype=np.float64)], 1)
    low = np.minimum(edges[:-1], power.shape[1] - 1)
    high = np.clip(edges[1:], low + 1, power.shape[1])
    means = (sums[:, high] - sums[:, low]) / (high - low)[:, None]
    return np.asarray(np.log(np.maximum(means, 0) + SMALLEST), np.float32)


def _windows(steps: Features) -> dict[str, Features]:
    """Return quartiles over windows of their deviation, maximum and minimum: [n, t, c] → [n, quartiles, c] each."""
    starts = np.arange(0, steps.shape[1], WINDOW)
    lengths = np.diff([*starts, steps.shape[1]])[:, None]
    mean = np.add.reduceat(steps, starts, axis=1) / lengths
    centred = steps - np.repeat(mean, lengths[:, 0], axis=1)
    found = {
        "window_deviations": np.sqrt(np.add.reduceat(centred**2, starts, axis=1) / lengths),
        "window_maxima": np.maximum.reduceat(steps, starts, axis=1),
        "window_minima": np.minimum.reduceat(steps, starts, axis=1),
    }
    return {
        name: np.quantile(own, WINDOW_QUANTILES, axis=1, method="nearest").transpose(1, 0, 2)
        for name, own in found.items()
    }
