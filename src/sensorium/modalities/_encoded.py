"""Encoded cells, and the progress of encoding them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.findings import Problem

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Ragged:
    """Arrays of unequal length, concatenated.

    Attributes:
        values: [total, ...]; cell i is `values[offsets[i]:offsets[i + 1]]`.
        offsets: int64[n + 1].
    """

    values: Array
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Array:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @classmethod
    def of(cls, cells: list[Array], empty: Array) -> Ragged:
        """Concatenate cells; `empty` gives dtype and trailing shape if there are none."""
        offsets = np.cumsum([0, *(len(cell) for cell in cells)], dtype=np.int64)
        return cls(np.concatenate(cells) if cells else empty, offsets)

    @classmethod
    def join(cls, parts: list[Ragged], empty: Array) -> Ragged:
        """Concatenate the cells of all parts, in order."""
        lengths = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.offsets) for part in parts)])
        return cls(np.concatenate([empty, *(part.values for part in parts)]), np.cumsum(lengths))


@dataclass(frozen=True)
class Encoded:
    """A column encoded as arrays.

    Attributes:
        values: [n, ...], or Ragged with n cells; a missing cell is zeros (or has length 0) and must not be read.
        present: bool[n].
        problems: cells that are read as missing or not exactly; `row` counts within the encoded column.
        steps: number of steps of a Ragged cell that networks read, the first ones; classical models read all. None if
            networks read all, too.
    """

    values: Array | Ragged
    present: npt.NDArray[np.bool_]
    problems: list[Problem]
    steps: int | None = None


def _ignore(rows: int) -> None:
    pass


@dataclass(frozen=True)
class Work:
    """Resources for encoding a column: the number of threads, and a callback for progress."""

    workers: int = 1
    advance: Callable[[int], None] = _ignore
