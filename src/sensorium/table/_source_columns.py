"""Columns of a source as they are written there, to be copied beside predictions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from sensorium.errors import SchemaError, did_you_mean, raise_together
from sensorium.table._arrays import Rows
from sensorium.table._types import narrow, normalise

EVERY = "all"  # every column of the table
Columns = Mapping[str, pa.ChunkedArray]


@dataclass(frozen=True)
class SourceColumns:
    """Columns of a source, row for row.

    Attributes:
        cells: name → cells with the types of the source. Of a text file, columns of numbers are numbers.
        spelling: columns of a text file whose cells are numbers → the cells as they are written.
    """

    cells: Columns = field(default_factory=dict)
    spelling: Columns = field(default_factory=dict)

    def take(self, rows: Rows) -> SourceColumns:
        places = pa.array(rows, pa.int64())
        cells, spelling = (
            {name: column.take(places) for name, column in columns.items()} for columns in (self.cells, self.spelling)
        )
        return SourceColumns(cells, spelling)


def select_columns(
    arrow: pa.Table, names: str | Sequence[str], missing: Collection[str], place: str, *, is_text: bool
) -> SourceColumns:
    """Return some columns of a table.

    Args:
        arrow: the table as it was read.
        names: a column, several columns, or `all`.
        missing: spellings of missing cells.
        place: the table, for errors.
        is_text: whether the source is a text file, whose cells have no types.

    Raises:
        SchemaError: the table has no column of a name.
    """
    if names == EVERY:
        names = arrow.column_names
    names, known = list(dict.fromkeys([names] if isinstance(names, str) else names)), {*arrow.column_names}
    if not arrow.num_columns and not arrow.num_rows:  # an empty list of rows has no names
        return SourceColumns({name: pa.chunked_array([], pa.null()) for name in names})
    raise_together(
        [
            SchemaError(f"the table has no column {name!r}", place=place, cure=did_you_mean(name, arrow.column_names))
            for name in names
            if name not in known
        ]
    )
    cells = {name: arrow.column(name) for name in names}
    if not is_text:
        return SourceColumns(cells)
    numbers = {name: narrow(normalise(column, missing)) for name, column in cells.items()}
    numbers = {name: column for name, column in numbers.items() if not pa.types.is_string(column.type)}
    return SourceColumns({**cells, **numbers}, {name: cells[name] for name in numbers})
