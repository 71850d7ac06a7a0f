"""Statistics of images, audio clips, series and scans, without any learning: one row of numbers per cell.

A cell that is empty or cannot be read has NaN everywhere. The statistics are fixed: figures of `baselines.py` depend on
them.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
TAILS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)  # of a series
GRID = 8  # an image is averaged over 8 × 8 tiles
SCAN_GRID = 4
BANDS = 20  # of a spectrum, on a logarithmic scale
FRAME = 0.032  # seconds
LAGS = (1, 2, 5, 10, 20)


def statistics(kind: str, cells: list[Any], folder: Path) -> Values:
    """Compute the statistics of a column, [rows, statistics].

    Args:
        kind: image, audio, scan (cells are paths) or series (cells are lists of numbers).
        cells: the cells of the column.
        folder: the folder that paths are relative to.
    """
    rows = [_cell(KINDS[kind], cell, folder) for cell in cells]
    width = max((len(row) for row in rows if row is not None), default=0)
    empty = np.full(width, np.nan)
    return np.array([empty if row is None else row for row in rows]).reshape(len(cells), width)


def _cell(read: Callable[[Any, Path], Values], cell: Any, folder: Path) -> Values | None:
    if cell is None or isinstance(cell, float):  # NaN, as pandas writes a missing cell
        return None
    try:
        return read(cell, folder)
    except (OSError, RuntimeError, ValueError):  # soundfile raises a RuntimeError for a broken file
        return None


def image(cell: str, folder: Path) -> Values:
    """Size, brightness of 8 × 8 tiles, mean, deviation and quantiles of each channel, directions of the edges."""
    from PIL import Image

    with Image.open(folder / cell) as opened:
        width, height = opened.size
        picture = Image.new("RGB", opened.size, "white")  # behind transparent pixels
        rgba = opened.convert("RGBA")
        picture.paste(rgba, mask=rgba.getchannel("A"))
    small = np.asarray(picture.resize((4 * GRID, 4 * GRID), Image.Resampling.BOX), np.float64) / 255
    grey = small.mean(2)
    tiles = grey.reshape(GRID, 4, GRID, 4).mean((1, 3))
    channels = [small.mean((0, 1)), small.std((0, 1)), np.quantile(small, QUANTILES, (0, 1)).ravel()]
    return np.concatenate([[width, height, width / height], tiles.ravel(), *channels, _edges(grey)])


def _edges(grey: Values) -> Values:
    """Histogram of the directions of the gradient, weighted by its length, in each quarter of the image."""
    down, right = np.gradient(grey)
    strength, direction = np.hypot(down, right), np.arctan2(down, right)
    half = len(grey) // 2
    quarters = [np.s_[:half, :half], np.s_[:half, half:], np.s_[half:, :half], np.s_[half:, half:]]
    edges = np.linspace(-np.pi, np.pi, 9)
    return np.concatenate([np.histogram(direction[part], edges, weights=strength[part])[0] for part in quarters])


def audio(cell: str, folder: Path) -> Values:
    """Duration, level, zero crossings, and the log spectrum: mean, deviation and the mean of each third."""
    import soundfile

    samples, rate = soundfile.read(folder / cell, always_2d=True)
    wave = samples.mean(1)
    size = round(FRAME * rate)
    wave = np.pad(wave, (0, max(0, 3 * size - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[:: size // 2] * np.hanning(size)
    power = np.log(_bands(np.abs(np.fft.rfft(frames)) ** 2) + 1e-10)
    thirds = [part.mean(0) for part in np.array_split(power, 3)]
    crossings = (np.diff(np.signbit(wave)) != 0).mean()
    plain = [len(samples) / rate, np.sqrt((wave**2).mean()), crossings]
    return np.concatenate([plain, power.mean(0), power.std(0), *thirds])


def _bands(power: Values) -> Values:
    """Mean power of frequency bands whose widths grow, [frames, bands]."""
    top = power.shape[-1]
    edges = np.unique(np.round(np.geomspace(1, top, BANDS + 1)).astype(int))
    found = [power[..., low:high].mean(-1) for low, high in pairwise(edges)]
    return np.stack(found + [np.zeros_like(found[0])] * (BANDS - len(found)), axis=-1)


def series(cell: Any, folder: Path) -> Values:
    """Moments, quantiles, trend, autocorrelations and spectrum of a list of numbers, and moments of its steps."""
    del folder
    values = np.asarray(cell, np.float64)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        raise ValueError("a series needs two values")
    centred, deviation = values - values.mean(), values.std() + 1e-12
    standard, steps, time = centred / deviation, np.diff(values), np.linspace(-1, 1, len(values))
    slope = time @ centred / (time @ time)
    moments = [len(values), values.mean(), values.std(), (standard**3).mean(), (standard**4).mean()]
    ends = [values.min(), values.max(), values[0], values[-1], slope]
    jumps = steps / (steps.std() + 1e-12)
    rough = [np.abs(steps).mean(), steps.std(), np.abs(steps).max(), (np.diff(np.signbit(centred)) != 0).mean()]
    rough += [(jumps**3).mean(), (jumps**4).mean()]
    lagged = [(standard[lag:] * standard[:-lag]).mean() if lag < len(values) else 0.0 for lag in LAGS]
    spectrum = np.log(_bands(np.abs(np.fft.rfft(standard))[None] ** 2)[0] + 1e-10)
    return np.concatenate([moments, ends, rough, lagged, np.quantile(values, TAILS), spectrum])


def scan(cell: str, folder: Path) -> Values:
    """Shape, share and volume of bright voxels, quantiles, and the brightness of 4 × 4 × 4 blocks."""
    import nibabel

    voxels = np.asarray(nibabel.load(folder / cell).dataobj, np.float64)
    low, high = np.quantile(voxels, [0.01, 0.99])
    scaled = np.clip((voxels - low) / (high - low + 1e-12), 0, 1)
    levels = [(scaled > level).mean() for level in (0.25, 0.5, 0.75)]
    blocks = [
        block.mean()
        for slab in np.array_split(scaled, SCAN_GRID, 0)
        for row in np.array_split(slab, SCAN_GRID, 1)
        for block in np.array_split(row, SCAN_GRID, 2)
    ]
    volumes = [level * scaled.size for level in levels]
    spread = [scaled.mean(), scaled.std(), *np.quantile(scaled, QUANTILES)]
    return np.array([*scaled.shape, scaled.size, *levels, *volumes, *spread, *blocks])


KINDS: dict[str, Callable[[Any, Path], Values]] = {"image": image, "audio": audio, "series": series, "scan": scan}
