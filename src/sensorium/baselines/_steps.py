"""Summarize time series and sounds as a few numbers per channel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sensorium.baselines._cells import Features
from sensorium.modalities import Ragged

FEW = 8  # channels, up to which each gets all statistics; more of them, as of a spectrogram, get the first ones
THIRDS = 3  # parts whose means are used
BANDS, FEWEST_BANDS = 64, 16  # frequency bands of growing width: the sum over channels, and the least per channel
WINDOW = 32  # steps of a window, whose spread and extremes are compared with those of other windows
WINDOW_QUANTILES = (0.0, 0.25, 0.75, 1.0)
TAILS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
LAGS = (1, 2, 5, 10, 20)  # of the autocorrelation, in steps
BLOCK = 2_000_000  # numbers that are summarized at a time
SMALLEST = 1e-6


def sum_up_steps(cells: Ragged) -> Features:
    """Summarize steps: ragged [total, c] → [n, f].

    Of each channel: mean, deviation, extremes, last value, means of thirds, mean absolute change. If there are few
    channels, also: skewness, kurtosis, first value, trend, quantiles, deviation and largest of the changes, crossings
    of the mean, autocorrelations, the logarithm of the power in frequency bands, and quartiles of the spread and of the
    extremes of windows. And the logarithm of the length. A cell without steps gets zeros.
    """
    lengths, channels = np.diff(cells.offsets), cells.values.shape[1]
    found = np.zeros((len(cells), _width(channels)), np.float32)
    for rows in _of_one_length(lengths, channels):
        length = int(lengths[rows[0]])
        places = cells.offsets[rows][:, None] + np.arange(length)
        steps = np.asarray(cells.values[places], np.float32)  # [rows, length, c]
        found[rows] = np.concatenate([*_statistics(steps), np.full((len(rows), 1), np.log1p(length))], 1)
    return found


def sum_up_samples(cells: Ragged) -> Features:
    """Summarize samples, as of waveforms: ragged float[total] → [n, f], as a series of one channel."""
    return sum_up_steps(Ragged(cells.values[:, None], cells.offsets))


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


def _statistics(steps: Features) -> Iterator[Features]:
    """Yield statistics of [n, t, c], each [n, c · k]."""
    mean, deviation = steps.mean(1), steps.std(1)
    yield from (mean, deviation, steps.min(1), steps.max(1), steps[:, -1])
    yield from (part.mean(1) if part.shape[1] else mean for part in np.array_split(steps, THIRDS, 1))
    changes = np.diff(steps, axis=1) if steps.shape[1] > 1 else np.zeros_like(steps)
    yield np.abs(changes).mean(1)
    if steps.shape[2] > FEW:
        return
    standard = (steps - mean[:, None]) / (deviation + SMALLEST)[:, None]
    time = np.linspace(-1, 1, steps.shape[1], dtype=np.float32)
    slope = np.einsum("t,ntc->nc", time, standard) / max(SMALLEST, float(time @ time))
    yield from ((standard**3).mean(1), (standard**4).mean(1), steps[:, 0], slope)
    yield _flat(np.quantile(steps, TAILS, axis=1).transpose(1, 0, 2))
    yield from (changes.std(1), np.abs(changes).max(1))
    yield (np.diff(np.signbit(standard), axis=1) != 0).sum(1) / np.float32(steps.shape[1])
    for lag in LAGS:
        yield (standard[:, lag:] * standard[:, :-lag]).sum(1) / np.float32(steps.shape[1])
    yield _flat(_bands(standard, _bands_of(steps.shape[2])))
    yield from (_flat(found) for found in _windows(steps))


def _bands(standard: Features, count: int) -> Features:
    """Return the logarithm of the mean power in frequency bands whose widths grow: [n, t, c] → [n, bands, c]."""
    power = np.abs(np.fft.rfft(standard, axis=1)) ** 2 / standard.shape[1]
    edges = np.round(np.geomspace(1, max(2, power.shape[1]), count + 1)).astype(np.int64)
    sums = np.concatenate([np.zeros_like(power[:, :1]), np.cumsum(power, 1, dtype=np.float64)], 1)
    low = np.minimum(edges[:-1], power.shape[1] - 1)
    high = np.clip(edges[1:], low + 1, power.shape[1])
    means = (sums[:, high] - sums[:, low]) / (high - low)[:, None]
    return np.asarray(np.log(np.maximum(means, 0) + SMALLEST), np.float32)


def _windows(steps: Features) -> Iterator[Features]:
    """Yield quartiles over windows of their deviation, maximum and minimum: [n, t, c] → [n, quartiles, c] each."""
    starts = np.arange(0, steps.shape[1], WINDOW)
    lengths = np.diff([*starts, steps.shape[1]])[:, None]
    mean = np.add.reduceat(steps, starts, axis=1) / lengths
    centred = steps - np.repeat(mean, lengths[:, 0], axis=1)
    deviation = np.sqrt(np.add.reduceat(centred**2, starts, axis=1) / lengths)
    for found in (deviation, np.maximum.reduceat(steps, starts, axis=1), np.minimum.reduceat(steps, starts, axis=1)):
        yield np.quantile(found, WINDOW_QUANTILES, axis=1, method="nearest").transpose(1, 0, 2)


def _flat(values: Features) -> Features:
    return np.asarray(values.reshape(len(values), -1), np.float32)
