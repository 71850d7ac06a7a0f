"""Summarize prepared cells of any shape as a few numbers."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.modalities import Ragged

Features: TypeAlias = npt.NDArray[np.float32]
Matrix: TypeAlias = Any  # float32[n, f], or SciPy's sparse matrix of that shape

BUCKETS = 2**17  # of words and of pairs of words
SIDE, DEPTH = 12, 6  # a picture and a scan are shrunk to at most this
PARTS = 3  # parts of a series whose means are used
PRIME = 1_000_003


def count_tokens(cells: Ragged) -> Matrix:
    """Count tokens and pairs of adjacent tokens: ragged int[total] → sparse [n, buckets].

    Pairs share buckets by a hash (Weinberger et al. 2009, arXiv:0902.2206).
    """
    from scipy.sparse import csr_matrix

    lengths = np.diff(cells.offsets)
    row = np.repeat(np.arange(len(lengths)), lengths)
    token = cells.values.astype(np.int64)
    both = row[1:] == row[:-1]
    pair = (token[:-1] * PRIME + token[1:])[both] % BUCKETS
    rows, columns = np.concatenate([row, row[1:][both]]), np.concatenate([token % BUCKETS, BUCKETS + pair])
    return csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(lengths), 2 * BUCKETS))


def sum_up_steps(cells: Ragged) -> Features:
    """Summarize steps: ragged [total, c] → [n, f] of moments per channel.

    Mean, deviation, extremes, last value and means of thirds of each channel, and the logarithm of the length.
    """
    width = cells.values.shape[1]
    found = np.zeros((len(cells), width * (5 + PARTS) + 1), np.float32)
    for place in range(len(cells)):
        steps = np.asarray(cells[place], np.float32)
        if len(steps):
            stretches = [part.mean(0) if len(part) else steps.mean(0) for part in np.array_split(steps, PARTS)]
            moments = [steps.mean(0), steps.std(0), steps.min(0), steps.max(0), steps[-1], *stretches]
            found[place] = np.concatenate([*moments, [np.log1p(len(steps))]])
    return found


def sum_up_samples(cells: Ragged) -> Features:
    """Summarize samples, as of waveforms: ragged float[total] → [n, f], as a series of one channel."""
    return sum_up_steps(Ragged(cells.values[:, None], cells.offsets))


def shrink_pictures(cells: npt.NDArray[Any] | Ragged) -> Features:
    """Downscale images: [n, (depth,) height, width, (channels)] → [n, f], means over areas.

    If a cell has several images, mean and deviation over them. Whole numbers are pixels and become 0 to 1.
    """
    if not isinstance(cells, Ragged):
        return _shrunk(cells)
    small, lengths = _shrunk(cells.values), np.diff(cells.offsets)
    found = np.zeros((len(cells), 2 * small.shape[1]), np.float32)
    for place in np.flatnonzero(lengths):
        own = small[cells.offsets[place] : cells.offsets[place + 1]]
        found[place] = np.concatenate([own.mean(0), own.std(0)])
    return found


def _shrunk(values: npt.NDArray[Any]) -> Features:
    """Shrink uint8[n, s, s, c] or float[n, d, s, s] to [n, f]."""
    pixels = values.dtype == np.uint8
    found: Features = values.astype(np.float32) / np.float32(255 if pixels else 1)
    for axis, most in ((1, SIDE), (2, SIDE)) if pixels else ((1, DEPTH), (2, SIDE), (3, SIDE)):
        found = _halve(found, axis, most)
    return found.reshape(len(found), -1)


def _halve(values: Features, axis: int, most: int) -> Features:
    """Average over equal parts of an axis, at most `most` of them."""
    size = values.shape[axis]
    if size <= most:
        return values
    starts = np.arange(most) * size // most
    lengths = np.diff([*starts, size]).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    return np.asarray(np.add.reduceat(values, starts, axis) / lengths, np.float32)
