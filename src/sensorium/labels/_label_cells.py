"""Cells of a target: their counts, and their values as labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import be, count
from sensorium.table import Column, narrow

PLAIN = r"^[+-]?[0-9]+(\.[0-9]*)?$"
MANY = 10_000  # different cells beyond which plain numbers are not looked at one by one


def count_cells(column: Column) -> Counter[str]:
    """Return cells and how often they occur; for very many plain numbers, a few representatives."""
    values = column.values
    if column.distinct <= MANY:
        return _counted(values)
    plain = pc.match_substring_regex(values, PLAIN)
    numbers, cells = values.filter(plain), _counted(values.filter(pc.invert(plain)))
    if len(numbers) <= MANY or any(re.fullmatch(PLAIN, text.strip()) for text in cells):
        return _counted(values)
    some = numbers.slice(0, MANY).unique().to_pylist()
    return cells + Counter(dict.fromkeys(some, 1)) + Counter({some[0]: len(numbers) - len(some)})


def _counted(values: pa.Array) -> Counter[str]:
    counts = pc.value_counts(values)
    return Counter(dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)))


def narrowed(column: Column, data: pa.Array) -> Column:
    """Return text of numbers as numbers, as in a table without the words for missing ones."""
    numbers = narrow(pa.chunked_array([data])).combine_chunks()
    numbers = numbers.chunk(0) if isinstance(numbers, pa.ChunkedArray) else numbers
    return replace(column, data=numbers, spelling=data if pa.types.is_floating(numbers.type) else None)


def without_infinite(column: Column) -> Column:
    """Return numbers with infinite ones replaced by missing."""
    if not column.is_float:
        return column
    return replace(column, data=pc.if_else(pc.is_inf(column.data), pa.scalar(None, column.data.type), column.data))


def about_infinite(column: Column) -> list[list[str]]:
    number = int(pc.sum(pc.is_inf(column.data)).as_py() or 0) if column.is_float else 0
    verb = be(number)
    reason = f"{number:,} of {count(len(column.values), 'label')} {verb} infinite and {verb} read as missing"
    return [[reason, "correct the table to use these rows"]] if number else []


def joined(column: Column, parts: Mapping[str, Column]) -> Column:
    """Build a column of objects from its changed fields; an object without a label in one of them is missing."""
    nothing = np.logical_and.reduce([~part.present for part in parts.values()])
    data = pa.StructArray.from_arrays([part.data for part in parts.values()], list(parts), mask=pa.array(nothing))
    spelt = {name: part.spelling for name, part in parts.items() if part.spelling is not None}
    spelling = pa.StructArray.from_arrays(list(spelt.values()), list(spelt)) if spelt else None
    return replace(column, data=data, spelling=spelling)
