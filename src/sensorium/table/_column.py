"""Column of a table: its cells, and what its source says about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._arrays import evenly_spaced
from sensorium.table._arrow_types import is_date_type, is_number_type
from sensorium.table._files import Files
from sensorium.table._notation import Conventions

T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Metadata of a column from its source; each is empty if there is nothing to report.

    Attributes:
        index: why the column is an index of the rows.
        unread: type of the cells, if they cannot be read; every cell is then missing.
        cure: how to make them readable.
        converted: original type of the cells, if they were converted.
        lost: message about unreadable cells, if other cells are readable.
        order: categories of an ordered categorical column, the lowest first.
        parts: of a column that joins several targets, the metadata of each, if any.
    """

    index: str = ""
    unread: str = ""
    cure: str = ""
    converted: str = ""
    lost: str = ""
    order: tuple[str, ...] = ()
    parts: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """Column: its Arrow values (null = missing) and the resolver of its paths.

    A view reads other content from another column's cells; its cells may be empty without a problem. Decimal numbers
    that were text in the source also keep their spelling: "1.10" has the value 1.1, but is not the label "1.1". The
    spelling of a column of objects has the spellings of its fields. The conventions describe the notation of the
    table's numbers.
    """

    name: str
    data: pa.Array
    files: Files
    is_view: bool = False
    spelling: pa.Array | None = None
    conventions: Conventions = field(default_factory=Conventions)
    origin: Origin = Origin()

    def __len__(self) -> int:
        return len(self.data)

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether the cell has a value."""
        return np.asarray(pc.is_valid(self.data))

    @property
    def is_string(self) -> bool:
        return bool(pa.types.is_string(self.data.type))

    @property
    def is_integer(self) -> bool:
        return bool(pa.types.is_integer(self.data.type))

    @property
    def is_float(self) -> bool:
        return bool(pa.types.is_floating(self.data.type))

    @property
    def is_number(self) -> bool:
        """Return whether the cells are integers or floats."""
        return is_number_type(self.data.type)

    @property
    def is_date(self) -> bool:
        """Return whether the cells are dates or timestamps of Arrow."""
        return is_date_type(self.data.type)

    @cached_property
    def is_whole(self) -> bool:
        """Return whether all values are integers, or floats without decimals (pandas' integers with missing cells)."""
        if not self.is_float:
            return self.is_integer
        values = self.values.to_numpy()
        return bool(np.isfinite(values).all() and (np.mod(values, 1) == 0).all())

    @property
    def is_boolean(self) -> bool:
        return bool(pa.types.is_boolean(self.data.type))

    @property
    def is_list(self) -> bool:
        return bool(pa.types.is_list(self.data.type))

    @cached_property
    def values(self) -> pa.Array:
        """Return the cells that are not missing."""
        return self.data.drop_null()

    @cached_property
    def strings(self) -> pa.Array:
        """Return the cells as text, in their original spelling if they arrived as text.

        Integers have no decimal point, although missing cells turn pandas' integers into floats. Lists, structs and
        bytes that are not UTF-8 are written as in Python.
        """
        if self.spelling is not None and not self.parts:
            return self.spelling
        try:
            text = self.data.cast(pa.string())
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            return pa.array([None if value is None else str(value) for value in self.data.to_pylist()], pa.string())
        if not self.is_float:
            return text
        whole = pc.and_(pc.equal(pc.trunc(self.data), self.data), pc.less(pc.abs(self.data), 2.0**63))
        return pc.if_else(whole, pc.if_else(whole, self.data, 0.0).cast(pa.int64(), safe=False).cast(pa.string()), text)

    @cached_property
    def distinct(self) -> int:
        """Return the number of different values."""
        if self.is_list:
            return len(set(map(str, self.values.to_pylist())))  # lists of lists can't be hashed
        return (
            int(pc.count_distinct(self.values).as_py()) if not pa.types.is_struct(self.data.type) else len(self.values)
        )

    @cached_property
    def parts(self) -> dict[str, Column]:
        """Return each field of a column of objects as a column; empty for others."""
        kind = self.data.type
        if not pa.types.is_struct(kind):
            return {}
        names = [field.name for field in kind]
        spelt = [] if self.spelling is None else [field.name for field in self.spelling.type]
        return {
            name: replace(
                self,
                name=name,
                data=pc.struct_field(self.data, [name]),
                spelling=pc.struct_field(self.spelling, [name]) if name in spelt else None,
                origin=self.origin.parts.get(name, replace(self.origin, parts={})),
            )
            for name in names
        }

    def sample(self, size: int) -> list[Any]:
        """Return at most `size` values, evenly spaced over the column: the same in every call."""
        count = len(self.values)
        size = min(size, count)
        if size not in self._samples:
            self._samples[size] = self.values.take(pa.array(evenly_spaced(count, size))).to_pylist()
        return list(self._samples[size])

    @cached_property
    def _samples(self) -> dict[int, list[Any]]:
        """Return the cache of samples, size → values, because every modality needs them."""
        return {}

    def once(self, function: Callable[[Column], T]) -> T:
        """Return `function(self)`; a second call returns the same result, because modalities share examinations."""
        if function not in self._results:
            self._results[function] = function(self)
        found: T = self._results[function]
        return found

    @cached_property
    def _results(self) -> dict[Callable[[Column], Any], Any]:
        return {}

    def take(self, rows: npt.NDArray[np.int64]) -> Column:
        rows = pa.array(rows)
        spelling = None if self.spelling is None else self.spelling.take(rows)
        return replace(self, data=self.data.take(rows), spelling=spelling)

    def slice(self, start: int, length: int) -> Column:
        """Return neighbouring rows, without a copy."""
        spelling = None if self.spelling is None else self.spelling.slice(start, length)
        return replace(self, data=self.data.slice(start, length), spelling=spelling)
