"""Table: named columns of equal length, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.errors import SchemaError, did_you_mean
from sensorium.findings import Problem
from sensorium.table._column import Column, Origin
from sensorium.table._files import Files
from sensorium.table._notation import Conventions
from sensorium.table._source_columns import SourceColumns

CHUNK = 65_536  # rows hashed at a time


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
        kept_columns: columns of the source to copy beside predictions; `take` leaves them out.

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
    kept_columns: SourceColumns = field(default_factory=SourceColumns)

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
        return replace(
            self,
            arrow=self.arrow.take(places),
            problems=self._told_of(rows),
            spelling=spelling,
            kept_columns=SourceColumns(),
        )

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
        return _hash_cells(self.arrow)

    def hash_column(self, name: str) -> str:
        """Return a hash of the cells of a column, and of their spelling."""
        column = self.column(name)
        spelling = {} if column.spelling is None else {"spelling": column.spelling}
        return _hash_cells(pa.table({"data": column.data, **spelling}))


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array instead of chunks."""
    if column.num_chunks == 1:
        return column.chunk(0)
    combined = column.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def _hash_cells(arrow: pa.Table) -> str:
    found = hashlib.sha256()
    with pa.ipc.new_stream(pa.PythonFile(_Sink(found.update), "w"), arrow.schema) as writer:
        for start in range(0, arrow.num_rows, CHUNK):
            rows = pa.array(np.arange(start, min(start + CHUNK, arrow.num_rows)))
            writer.write_table(arrow.take(rows).combine_chunks())  # taken, not cut: a copy always looks the same
    return found.hexdigest()


@dataclass(frozen=True)
class _Sink:
    """File-like object for Arrow that calls a function."""

    write: Callable[[bytes], None]
    closed: bool = False

    def flush(self) -> None:
        pass
