"""Summarize images and scans as a few numbers, without learning from other rows."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.modalities import Ragged

Features: TypeAlias = npt.NDArray[np.float32]

SIDE, DEPTH = 12, 6  # an image and a scan are shrunk to at most this
SHADES = 8  # bins of the histogram of a colour
DIRECTIONS = 8  # bins of the histogram of edge directions
BRIGHT = (0.25, 0.5, 0.75)  # parts of the range of the voxels, above which their share is counted
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)  # quantiles of the voxels of a scan


def summarize_images(cells: npt.NDArray[Any] | Ragged) -> Features:
    """Summarize images and scans: [n, (depth,) height, width, (channels)] → [n, f].

    Means over tiles; of images, also a histogram of each colour and of the directions of edges in each quarter
    (Dalal & Triggs 2005); of scans, also quantiles of the voxels. If a cell has several images, mean and deviation over
    them. uint8 values are pixels and become 0 to 1.
    """
    if not isinstance(cells, Ragged):
        return _summary(cells)
    small, lengths = _summary(cells.values), np.diff(cells.offsets)
    found = np.zeros((len(cells), 2 * small.shape[1]), np.float32)
    for place in np.flatnonzero(lengths):
        own = small[cells.offsets[place] : cells.offsets[place + 1]]
        found[place] = np.concatenate([own.mean(0), own.std(0)])
    return found


def _summary(values: npt.NDArray[Any]) -> Features:
    """Summarize uint8[n, s, s, c] or float[n, d, s, s] as [n, f]."""
    if not len(values):  # the number of features is that of any cell
        return _summary(np.zeros((1, *values.shape[1:]), values.dtype))[:0]
    pixels = values.dtype == np.uint8
    real: Features = values.astype(np.float32) / np.float32(255 if pixels else 1)
    found = real
    for axis, most in ((1, SIDE), (2, SIDE)) if pixels else ((1, DEPTH), (2, SIDE), (3, SIDE)):
        found = _shrink(found, axis, most)
    more = [_shades(values), _edges(real.mean(3))] if pixels else [_quantiles(real)]
    return np.concatenate([found.reshape(len(found), -1), *more], 1)


def _shrink(values: Features, axis: int, most: int) -> Features:
    """Average over equal parts of an axis, at most `most` of them."""
    size = values.shape[axis]
    if size <= most:
        return values
    starts = np.arange(most) * size // most
    lengths = np.diff([*starts, size]).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    return np.asarray(np.add.reduceat(values, starts, axis) / lengths, np.float32)


def _shades(pixels: npt.NDArray[np.uint8]) -> Features:
    """Return the share of the pixels in each bin of each channel: uint8[n, s, s, c] → [n, c · bins]."""
    count, channels = len(pixels), pixels.shape[-1]
    bins = pixels.reshape(count, -1, channels) // np.uint8(256 // SHADES)
    return _histogram(bins.transpose(0, 2, 1), np.float32(1 / max(1, bins.shape[1])), SHADES).reshape(count, -1)


def _edges(grey: Features) -> Features:
    """Return a histogram of edge directions, weighted by strength, of each quarter: [n, s, s] → [n, 4 · bins]."""
    if min(grey.shape[1:]) < 4:
        return np.zeros((len(grey), 4 * DIRECTIONS), np.float32)
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    turn = (np.arctan2(down, right) / np.float32(2 * np.pi) + np.float32(0.5)) * DIRECTIONS
    bins = np.minimum(turn.astype(np.int64), DIRECTIONS - 1)
    high, wide = grey.shape[1] // 2, grey.shape[2] // 2
    quarters = [np.s_[:, a, b] for a in (slice(high), slice(high, None)) for b in (slice(wide), slice(wide, None))]
    each = [
        _histogram(bins[part].reshape(len(grey), 1, -1), _mean_weights(strength[part]), DIRECTIONS) for part in quarters
    ]
    return np.concatenate(each, 1).reshape(len(grey), -1)


def _mean_weights(strength: Features) -> Features:
    flat = strength.reshape(len(strength), 1, -1)
    return np.asarray(flat / np.float32(max(1, flat.shape[2])), np.float32)


def _histogram(bins: npt.NDArray[Any], weights: Any, count: int) -> Features:
    """Sum weights by bin: bins [n, c, m] and weights that broadcast to them → [n, c, bins]."""
    rows = np.arange(bins.shape[0] * bins.shape[1]).reshape(*bins.shape[:2], 1) * count
    found = np.bincount(
        (rows + bins).ravel(), np.broadcast_to(weights, bins.shape).ravel(), bins.shape[0] * bins.shape[1] * count
    )
    return found.reshape(*bins.shape[:2], count).astype(np.float32)


def _quantiles(voxels: Features) -> Features:
    """Return quantiles of the voxels, and the shares of those above parts of the range of most of them."""
    flat = voxels.reshape(len(voxels), -1)
    if not flat.size:
        return np.zeros((len(flat), len(LEVELS) + len(BRIGHT)), np.float32)
    found = np.quantile(flat, LEVELS, axis=1).astype(np.float32)
    low, width = found[0], found[-1] - found[0]
    shares = [(flat > (low + part * width)[:, None]).mean(1) for part in BRIGHT]
    return np.stack([*found, *shares], 1).astype(np.float32)
