"""Columns of one small value, packed into one array, so that a batch is made by one gather for all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.modalities import Encoded, Modality

Dtype: TypeAlias = np.dtype[Any]
Shape: TypeAlias = tuple[int, ...]

PACKED = (("float32", 2), ("int64", 1))  # dtype and axes of packed columns: numbers (n, f), codes (n)


@dataclass(frozen=True, eq=False)
class PackedColumns:
    """Columns in one array. Each column is contiguous, so that its own arrays are views of it.

    Attributes:
        columns: names.
        shapes: shape of a cell of each column: `(f,)` or `()`.
        values: [total, n], all values of the columns below each other.
        present: [columns, n].
        places: if only some of the rows of `values` and of `present` are used: their positions.
    """

    columns: Sequence[str]
    shapes: Sequence[Shape]
    values: npt.NDArray[Any]
    present: npt.NDArray[np.bool_]
    places: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None = None

    @classmethod
    def of(cls, columns: dict[str, Encoded], names: Sequence[str]) -> PackedColumns:
        """Pack the arrays of some columns, and replace them by views: none is held twice."""
        shapes = [_values(columns[name]).shape[1:] for name in names]
        first = _values(columns[names[0]])
        values = np.empty((sum(map(math.prod, shapes)), len(first)), first.dtype)
        packed = cls(tuple(names), shapes, values, np.empty((len(names), len(first)), bool))
        for place, (name, view) in enumerate(zip(names, packed._views(), strict=True)):
            view[...] = columns[name].values
            packed.present[place] = columns[name].present
            columns[name] = replace(columns[name], values=view, present=packed.present[place])
        return packed

    def only(self, names: Iterable[str]) -> PackedColumns | None:
        """Return some of the columns, without a copy of their arrays; None if none of them is here."""
        wanted = {*names}
        kept = [place for place, name in enumerate(self.columns) if name in wanted]
        if len(kept) == len(self.columns):
            return self
        starts, owners = self._starts(), np.arange(len(self.columns))
        inside = [np.arange(starts[place], starts[place + 1]) for place in kept]
        if not inside:
            return None
        places = np.concatenate(inside), owners[kept]
        if self.places:
            places = self.places[0][places[0]], self.places[1][places[1]]
        names = tuple(self.columns[place] for place in kept)
        return replace(self, columns=names, shapes=[self.shapes[place] for place in kept], places=places)

    def arrays(self) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]:
        """Return column → values and presence, as views; for packed columns of which none was left out."""
        assert self.places is None
        return dict(zip(self.columns, zip(self._views(), self.present, strict=True), strict=True))

    def _views(self) -> Iterator[npt.NDArray[Any]]:
        starts = self._starts()
        for place, shape in enumerate(self.shapes):
            yield self.values[starts[place] : starts[place + 1]].T if shape else self.values[starts[place]]

    def _starts(self) -> list[int]:
        return [0, *accumulate(math.prod(shape) for shape in self.shapes)]


def pack_columns(columns: dict[str, Any], learnt: Mapping[str, Modality]) -> list[PackedColumns]:
    """Pack the columns whose modalities share a tower, and replace their arrays by views.

    Args:
        columns: column → its arrays; changed.
        learnt: column → its modality.
    """
    groups: dict[tuple[str, int], list[str]] = {}
    for name, found in columns.items():
        if learnt[name].tower is None or not isinstance(found, Encoded) or not isinstance(found.values, np.ndarray):
            continue
        key = (found.values.dtype.name, found.values.ndim)
        if key in PACKED:
            groups.setdefault(key, []).append(name)
    return [PackedColumns.of(columns, names) for names in groups.values() if len(names) > 1]


def _values(encoded: Encoded) -> npt.NDArray[Any]:
    assert isinstance(encoded.values, np.ndarray)
    return encoded.values
