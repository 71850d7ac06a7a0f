"""Aggregate the rows of units, such as the rows of one patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import TableConfig
from sensorium.errors import SchemaError
from sensorium.evaluate import Units
from sensorium.findings import Problem, count
from sensorium.model import FittedModel
from sensorium.table import Column, Files, Table, open_table

PLACE = "--by (Python: by=)"


def named_columns(table: Table, names: Sequence[str]) -> dict[str, Column]:
    """Return columns of a table that `open_rows` opened with `keep`, also those that its settings use up.

    Args:
        table: the table.
        names: columns; a name that the table lacks is not returned.
    """
    found = {name: table.column(name) for name in names if name in table}
    used_up = {
        name: table.kept_columns.cells[name] for name in names if name in table.kept_columns.cells and name not in table
    }
    source = open_table(pa.table(used_up), TableConfig.model_validate({})) if used_up else table
    return found | {name: source.column(name) for name in used_up}


def units_of(columns: Mapping[str, Column], name: str, fitted: FittedModel) -> Units:
    """Return the units that a column names.

    Raises:
        SchemaError: the table lacks the column, it is the target, or has no value.
    """
    if name not in columns:
        raise SchemaError(f"the table has no column {name!r}", place=PLACE)
    if name in (fitted.target, *fitted.task.targets):
        raise SchemaError(
            f"{name!r} is the target",
            place=PLACE,
            rule="a column whose values name units, such as patients",
            cure="name another column",
        )
    if len(columns[name]) and not columns[name].present.any():
        raise SchemaError(f"column {name!r} has no value", place=PLACE, rule="values name the units of the rows")
    return Units.of(columns[name])


def cells_of_units(cells: Mapping[str, Any], units: Units) -> tuple[dict[str, pa.Array], list[Problem]]:
    """Return the value of each unit in columns of its rows, null where the rows differ, and problems that say so.

    Args:
        cells: name → Arrow cells of the rows.
        units: of the rows.
    """
    found, problems = dict[str, pa.Array](), list[Problem]()
    for name, column in cells.items():
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
        texts = Column(name, array, Files(Path())).strings
        codes = np.asarray(pc.dictionary_encode(texts, null_encoding="encode").indices)
        differs = units.any(codes != codes[units.first][units.of_rows])
        own = array.take(pa.array(units.first))
        found[name] = pc.if_else(pa.array(differs), pa.scalar(None, own.type), own) if differs.any() else own
        if differs.any():
            reason = f"{count(int(differs.sum()), 'unit')} have rows with different values: their cell is empty"
            problems.append(Problem(None, name, reason, "leave the column out of --keep (Python: keep=)"))
    return found, problems
