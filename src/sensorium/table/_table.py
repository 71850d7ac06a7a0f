"""Table and its columns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import SchemaError, did_you_mean
from sensorium.findings import Problem
from sensorium.table._files import Files
from sensorium.table._notation import Conventions

CHUNK = 65_536  # rows hashed at a time


@dataclass(frozen=True)
class Origin:
    """Metadata of a column from its source; each is empty if there is nothing to report.

    Attributes:
        index: why the column is an index of the rows.
        unread: type of the cells, if they cannot be read; every cell is then missing.
        cure: how to make them readable.
        converted: original type of the cells, if they were converted.
        lost: message about unreadable cells, if other cells are readable.
    """

    index: str = ""
    unread: str = ""
    cure: str = ""
    converted: str = ""
    lost: str = ""


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
            )
            for name in names
        }

    def sample(self, size: int) -> list[Any]:
        """Return at most `size` values, evenly spaced over the column: the same in every call."""
        count = len(self.values)
        size = min(size, count)
        if size not in self._samples:
            rows = np.unique(np.linspace(0, max(0, count - 1), size).astype(np.int64))
            self._samples[size] = self.values.take(pa.array(rows, pa.int64())).to_pylist()
        return list(self._samples[size])

    @cached_property
    def _samples(self) -> dict[int, list[Any]]:
        """Return the cache of samples, size → values, because every modality needs them."""
        return {}

    def take(self, rows: npt.NDArray[np.int64]) -> Column:
        rows = pa.array(rows)
        spelling = None if self.spelling is None else self.spelling.take(rows)
        return replace(self, data=self.data.take(rows), spelling=spelling)

    def slice(self, start: int, length: int) -> Column:
        """Return neighbouring rows, without a copy."""
        spelling = None if self.spelling is None else self.spelling.slice(start, length)
        return replace(self, data=self.data.slice(start, length), spelling=spelling)


@dataclass(frozen=True)
class Table:
    """Rows and named columns in memory; files are read when their column is prepared.

    Attributes:
        arrow: the cells.
        files: resolver of a cell's path to a file.
        name: for messages.
        series: columns that were made from several columns → names of these.
        lacks: series → its columns that the source lacks.
        problems: problems found when the table was read or series were made; row None for a whole column or the table.
        notes: how the rows of the source were transformed, if they were.
        spelling: columns of decimal numbers that were text in the source → their text.
        conventions: notation of the table's numbers.
        origins: metadata of columns from the source; most have none.
        views: names that read the cells of another column → that column; see `with_views`.

    Example:
        >>> from sensorium.table import open_table
        >>> table = open_table("films.csv")
        >>> len(table), list(table.columns)
        (90, ['plot', 'length', 'studio', 'genre'])
        >>> table.take(np.array([3, 4])).column("length").present.tolist()
        [True, True]
    """

    arrow: pa.Table
    files: Files
    name: str
    series: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lacks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    spelling: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    conventions: Conventions = field(default_factory=Conventions)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    @cached_property
    def columns(self) -> list[str]:
        return list(self.arrow.column_names)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns)}

    def __contains__(self, name: str) -> bool:
        return self._cells(name) is not None

    def with_views(self, views: Mapping[str, str]) -> Table:
        """Return the table with views: additional names that read the cells of a column.

        A name becomes a view only by this method: if a table lacks `price.1`, its column `price` is not used instead.

        Args:
            views: view → the column that it reads, as `clip.sound` reads `clip`.
        """
        return replace(self, views={**self.views, **views}) if views else self

    def column(self, name: str) -> Column:
        """Return a column or a view.

        Raises:
            SchemaError: the table has no column of this name; the message has similar names.
        """
        cells = self._cells(name)
        if cells is None:
            raise SchemaError(
                f"the table has no column {name!r}", place=self.name, cure=did_you_mean(name, self.columns)
            )
        spelling = one_array(self.spelling[cells]) if cells in self.spelling else None
        return Column(
            name,
            one_array(self.arrow.column(self._places[cells])),
            self.files,
            is_view=cells != name,
            spelling=spelling,
            conventions=self.conventions,
            origin=self.origins.get(cells, Origin()),
        )

    def with_column(self, column: Column) -> Table:
        """Return the table with other cells in one of its columns."""
        place = self._places[column.name]
        spelling = {name: cells for name, cells in self.spelling.items() if name != column.name}
        if column.spelling is not None:
            spelling[column.name] = pa.chunked_array([column.spelling])
        return replace(self, arrow=self.arrow.set_column(place, column.name, column.data), spelling=spelling)

    def _cells(self, name: str) -> str | None:
        """Return the column that holds the cells of a column or view."""
        owner = self.views.get(name)
        return name if name in self._places else owner if owner in self._places else None

    def take(self, rows: npt.NDArray[np.int64] | Sequence[int]) -> Table:
        places = pa.array(rows, pa.int64())
        spelling = {name: cells.take(places) for name, cells in self.spelling.items()}
        return replace(self, arrow=self.arrow.take(places), problems=self._told_of(rows), spelling=spelling)

    def _told_of(self, rows: npt.NDArray[np.int64] | Sequence[int]) -> tuple[Problem, ...]:
        """Return the problems of some rows, with row numbers counted within these rows."""
        if not self.problems:
            return ()
        told: dict[int | None, list[Problem]] = {}
        for problem in self.problems:
            told.setdefault(problem.row, []).append(problem)
        whole = told.pop(None, [])
        places = [(place, int(row)) for place, row in enumerate(rows) if int(row) in told]
        return (*whole, *(replace(problem, row=place) for place, row in places for problem in told[row]))

    def fingerprint(self) -> str:
        """Return a hash of column names and cells, which identifies the table that a model was trained on."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        found = hashlib.sha256()
        with pa.ipc.new_stream(pa.PythonFile(_Sink(found.update), "w"), self.arrow.schema) as writer:
            for start in range(0, len(self), CHUNK):
                rows = np.arange(start, min(start + CHUNK, len(self)))  # taken, not cut: a copy always looks the same
                writer.write_table(self.take(rows).arrow.combine_chunks())
        return found.hexdigest()


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array instead of chunks."""
    combined = column.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


@dataclass(frozen=True)
class _Sink:
    """File-like object for Arrow that calls a function."""

    write: Callable[[bytes], None]
    closed: bool = False

    def flush(self) -> None:
        pass
