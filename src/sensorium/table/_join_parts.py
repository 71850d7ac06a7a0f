"""Concatenate the parts of one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from sensorium.findings import Problem, count
from sensorium.table._arrow_types import is_number_type
from sensorium.table._cells import cells_of
from sensorium.table._plain import plain_column
from sensorium.table._read import Read, finding


@dataclass(frozen=True)
class Part:
    """Part file, with the keys in its path."""

    path: Path
    keys: dict[str, str | None]
    read: Read

    @cached_property
    def columns(self) -> dict[str, pa.ChunkedArray]:
        return dict(zip(self.read.arrow.column_names, self.read.arrow.columns, strict=True))


def join_parts(parts: list[Part]) -> Read:
    """Concatenate the parts; each key becomes a column, unless the files have a column of this name."""
    problems = [replace(p, reason=f"{part.path.name}: {p.reason}") for part in parts for p in part.read.problems]
    fields: dict[str, pa.Field] = {}
    for part in parts:
        for field in part.read.arrow.schema:
            fields.setdefault(field.name, field)
    columns, schema = [], []
    for name, field in fields.items():
        cells, told = _stack(name, parts)
        columns.append(cells)
        schema.append(field.with_type(cells.type))
        problems += told
    for key in dict.fromkeys(key for part in parts for key in part.keys if key not in fields):
        chunks = [pa.repeat(pa.scalar(part.keys.get(key), pa.string()), part.read.arrow.num_rows) for part in parts]
        columns.append(pa.chunked_array(chunks, pa.string()))
        schema.append(pa.field(key, pa.string()))
    metadata = parts[0].read.arrow.schema.metadata
    return Read(pa.Table.from_arrays(columns, schema=pa.schema(schema, metadata=metadata)), problems)


def _stack(name: str, parts: list[Part]) -> tuple[pa.ChunkedArray, list[Problem]]:
    """Concatenate one column of all parts."""
    problems = list[Problem]()
    there = [part.columns[name] for part in parts if name in part.columns]
    if len(there) < len(parts):
        lacking = len(parts) - len(there)
        problems.append(finding(f"it is missing in {count(lacking, 'file')} of {len(parts):,}", "", name))
    kinds = list(dict.fromkeys(cells.type for cells in there if not pa.types.is_null(cells.type)))
    kind = kinds[0] if kinds else pa.string()
    if len(kinds) > 1:
        there = [plain_column(cells) for cells in there]
        kind = _common(there)
        if kind is None:
            text = [cells_of([cell for cells in there for cell in cells.to_pylist()])[0]]
            found = f"the files have the types {' and '.join(map(str, kinds[:3]))}: read as {text[0].type}"
            return pa.chunked_array(text), [*problems, finding(found, "write it as one type", name)]
    made = iter(there)
    rows = [next(made) if name in part.columns else pa.nulls(part.read.arrow.num_rows, kind) for part in parts]
    chunks = [chunk for cells in rows for chunk in (cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells])]
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind), problems


def _common(columns: list[pa.ChunkedArray]) -> pa.DataType | None:
    """Return the common type of the columns, or a type that can hold all their numbers."""
    kinds = {cells.type for cells in columns if cells.null_count < len(cells)} or {pa.string()}
    if len(kinds) > 1 and all(is_number_type(kind) for kind in kinds):
        return pa.float64()
    return kinds.pop() if len(kinds) == 1 else None
