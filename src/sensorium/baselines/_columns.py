"""Flatten prepared columns of every modality into one matrix of numbers for classical models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.baselines._cells import Matrix, count_tokens, shrink_pictures, sum_up_samples, sum_up_steps
from sensorium.baselines._reduce import Features, reduced
from sensorium.modalities import Encoded, Ragged
from sensorium.prepare import Prepared
from sensorium.prepare.streamed import Streamed
from sensorium.table import Rows

CHUNK = 1024  # cells summed up at a time
MOST_LEVELS = 254  # of a category that trees take as one; rarer ones are one level


@dataclass(frozen=True)
class Columns:
    """All rows as one matrix.

    Attributes:
        values: float32[n, f], NaN if a cell is missing.
        levels: int64[f]: number of levels of a category; 0 for numbers.
        components: bool[f]: whether it is one of several components, whose scale shows its importance.
    """

    values: Features
    levels: npt.NDArray[np.int64]
    components: npt.NDArray[np.bool_]


def flatten_columns(prepared: Prepared, train: Rows, seed: int) -> Columns:
    """Flatten columns into one matrix.

    Numbers, coordinates, vectors and frozen features are kept; categories become codes. Texts are counted words and
    pairs of words, weighted (TF-IDF) and reduced by a truncated singular value decomposition (latent semantic analysis,
    Deerwester et al. 1990); images, scans and videos are downscaled; audio and series are summarized by moments.
    Columns that are still wide are reduced to their principal components. All parameters are learned from the training
    rows.

    Args:
        prepared: the columns; streamed ones are decoded once.
        train: positions of the training rows.
        seed: random seed of the decompositions.
    """
    blocks, levels, components = list[Features](), list[int](), list[bool]()
    for found in prepared.columns.values():
        values = (
            np.asarray(found.values) if isinstance(found, Encoded) and not isinstance(found.values, Ragged) else None
        )
        if values is not None and values.ndim == 1:
            blocks.append(_missing(np.minimum(values, MOST_LEVELS)[:, None], found.present))
            levels.append(min(int(values.max(initial=0)), MOST_LEVELS) + 1)
            components.append(False)
            continue
        block = _gathered(found)
        small = reduced(block, train[found.present[train]], seed)
        blocks.append(_missing(small, found.present))
        levels += [0] * small.shape[1]
        components += [small is not block] * small.shape[1]
    return Columns(np.concatenate(blocks, 1), np.array(levels, np.int64), np.array(components, np.bool_))


def _gathered(found: Encoded | Streamed) -> Matrix:
    """Return [n, f] of a column, dense or (for tokens) sparse."""
    parts = [_summary(cells)(cells) for cells in _chunks(found)]
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    from scipy.sparse import vstack

    return vstack(parts, "csr")


def _chunks(found: Encoded | Streamed) -> Iterator[npt.NDArray[Any] | Ragged]:
    for start in range(0, len(found.present), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(found.present)))
        if isinstance(found, Streamed):
            yield found.encode(rows).values
        elif isinstance(found.values, Ragged):
            offsets = found.values.offsets[start : rows[-1] + 2]
            yield Ragged(found.values.values[offsets[0] : offsets[-1]], offsets - offsets[0])
        else:
            yield found.values[start : rows[-1] + 1]


def _summary(cells: npt.NDArray[Any] | Ragged) -> Callable[[Any], Matrix]:
    """Return the function that summarizes cells of this shape as one row of numbers per cell."""
    if isinstance(cells, Ragged):
        if cells.values.ndim == 1:
            return count_tokens if np.issubdtype(cells.values.dtype, np.integer) else sum_up_samples
        return sum_up_steps if cells.values.ndim == 2 else shrink_pictures
    return shrink_pictures if cells.ndim > 2 else lambda plain: np.asarray(plain, np.float32)


def _missing(block: npt.NDArray[Any], present: npt.NDArray[np.bool_]) -> Features:
    return np.where(present[:, None], block, np.nan).astype(np.float32)
