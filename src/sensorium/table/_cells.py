"""Convert Python values to an Arrow column of one type."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.findings import be, count
from sensorium.table._column import Origin
from sensorium.table._file_cell import FILE_FIELDS
from sensorium.table._misfits import drop_misfits, is_file
from sensorium.table._pictures import is_picture
from sensorium.table._values import UnknownValue, plain_value

NUMBERS = (int, float, Decimal)


def cells_of(values: Iterable[Any]) -> tuple[pa.Array, Origin]:
    """Convert values to a column, and report cells that cannot be converted.

    Paths become text, images the bytes of a file, arrays lists or images, members of an Enum their names. In a column
    with text among numbers ("50+" among ages), all cells keep their spelling. Cells of unsupported types are missing;
    if there are no others, the column is unread.
    """
    values = values if isinstance(values, np.ndarray) else list(values)
    found = _quick(values)
    if found is not None:
        return found, Origin()
    notes: dict[str, None] = {}
    unknown, cells = list[str](), list[Any]()
    for value in values:
        try:
            cells.append(plain_value(value, notes))
        except UnknownValue as error:
            cells.append(None)
            unknown.append(str(error))
    if unknown and not any(cell is not None for cell in cells):
        return pa.nulls(len(cells), pa.string()), Origin(unread=unknown[0])
    lost = f"{count(len(unknown), 'cell')} with {unknown[0]} {be(len(unknown))} read as missing" if unknown else ""
    found, odd = _of_several_kinds(cells)
    return found, Origin(converted="; ".join(notes), lost="; ".join(filter(None, [lost, odd])))


def column_of(values: Iterable[Any]) -> pa.Array:
    """Convert values of JSON and databases, all of which can be read, to a column."""
    return cells_of(values)[0]


def _quick(values: Any) -> pa.Array | None:
    """Convert values as Arrow does; None if that fails or loses information."""
    try:
        found = pa.array(values, from_pandas=isinstance(values, np.ndarray) or None)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):  # among them UnicodeError: half a character
        return None
    kind = found.type
    lost: tuple[type, ...] = ()
    if pa.types.is_binary(kind):
        lost = (str,)  # a path among bytes would become bytes
    elif pa.types.is_date(kind):
        lost = (datetime, int, float)  # Arrow would cut off its time, or take a number for days
    elif pa.types.is_temporal(kind):
        lost = (int, float)  # Arrow would take a number for ticks of the others' unit
    elif pa.types.is_list(kind):
        lost = (Set,)  # its members have another order in another process
    return None if lost and any(isinstance(value, lost) for value in values) else found


def _of_several_kinds(cells: list[Any]) -> tuple[pa.Array, str]:
    """Return converted values, which may be of several kinds, and messages about unsupported ones."""
    found = _quick(cells)
    if found is not None:
        return found, ""
    cells, odd = drop_misfits(cells)
    found = _quick(cells) if odd else None
    return (_as_one_kind(cells) if found is None else found), odd


def _as_one_kind(cells: list[Any]) -> pa.Array:
    """Convert mixed values to one kind: integers and decimals, dates and times, bytes and paths; others to text."""
    there = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, NUMBERS) and not isinstance(cell, bool) for cell in there):
        return _numbers(cells)
    if all(isinstance(cell, date) for cell in there):
        return pa.array(list(map(_moment, cells)))
    if any(map(_holds_bytes, there)) and all(isinstance(cell, str) or _holds_bytes(cell) for cell in there):
        return pa.array(map(_file, cells), pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    return pa.array(map(_spelt, cells), pa.string())


def _moment(day: date | None) -> datetime | None:
    return day if day is None or isinstance(day, datetime) else datetime(day.year, day.month, day.day)


def _numbers(cells: list[Any]) -> pa.Array:
    """Convert numbers: decimals beside floats become floats; integers beyond int64 keep their digits as text."""
    if any(isinstance(cell, float) for cell in cells):
        return pa.array([None if cell is None else _float(cell) for cell in cells], pa.float64())
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def _float(number: float | Decimal) -> float:
    """Return a float, infinite if the number is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _holds_bytes(cell: Any) -> bool:
    return isinstance(cell, bytes) or (is_file(cell) and isinstance(cell.get("bytes"), bytes | None))


def _file(cell: Any) -> dict[str, Any] | None:
    if cell is None or isinstance(cell, dict):
        return cell
    return {"bytes": cell, "path": None} if isinstance(cell, bytes) else {"bytes": None, "path": cell}


def _spelt(cell: Any) -> str | None:
    """Return a cell as text: JSON if it is more than a word."""
    if cell is None or isinstance(cell, str):
        return cell
    simple = isinstance(cell, bool | int | float | list | dict)
    return json.dumps(cell, default=str, ensure_ascii=False) if simple else str(cell)


def is_several(value: Any) -> bool:
    """Return whether a value holds many cells (a column) rather than one."""
    if isinstance(value, str | bytes | bytearray | memoryview | os.PathLike | Enum) or is_picture(value):
        return False
    if isinstance(value, Mapping):
        return not set(value) <= FILE_FIELDS
    if hasattr(value, "ndim"):
        return int(value.ndim) > 0
    columns = ("__arrow_c_array__", "__arrow_c_stream__", "__arrow_array__")
    if any(hasattr(value, name) for name in columns):
        return True
    return isinstance(value, Iterable) and not hasattr(value, "read")
