"""Python values → an Arrow column: what people keep in cells is read as what it stands for."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa

from sensorium.problems import count
from sensorium.table._pictures import as_pixels, is_picture, picture_bytes, pixel_bytes
from sensorium.table._table import Origin

PLAIN = (str, bool, int, float, bytes, date, time, timedelta, type(None))
NUMBERS = (int, float, Decimal)
GAPS = ("NAType", "NaTType")  # of pandas
TENSORS = ("torch", "tensorflow", "jax", "jaxlib", "cupy", "mlx")  # libraries whose arrays NumPy reads
AS_PIXELS = "numbers from 0 to 1 are read as pixels of 8 bits"


class _Unknown(Exception):
    """A value that no column can hold; the message says of which kind."""


def cells_of(values: Iterable[Any]) -> tuple[pa.Array, Origin]:
    """A column, and what became of its cells where they are not what was given.

    Paths are text, pictures the bytes of a file, arrays lists or pictures, members of an Enum their names. Numbers
    beside text ("50+" among ages) are what people write; every cell then keeps its own spelling. What no column can
    hold is missing; where there is nothing else, the column is unread.

    Raises:
        UnicodeError: half a character.
    """
    values = values if isinstance(values, np.ndarray) else list(values)
    found = _quick(values)
    if found is not None:
        return found, Origin()
    notes: dict[str, None] = {}
    unknown, cells = list[str](), list[Any]()
    for value in values:
        try:
            cells.append(_cell(value, notes))
        except _Unknown as error:
            cells.append(None)
            unknown.append(str(error))
    if unknown and not any(cell is not None for cell in cells):
        return pa.nulls(len(cells), pa.string()), Origin(unread=unknown[0])
    lost = f"{count(len(unknown), 'cell')} with {unknown[0]} can't be read: missing" if unknown else ""
    return _of_several_kinds(cells), Origin(converted="; ".join(notes), lost=lost)


def column_of(values: Sequence[Any]) -> pa.Array:
    """The same for what JSON and databases give, of which every value can be read."""
    return cells_of(values)[0]


def _quick(values: Any) -> pa.Array | None:
    """As Arrow reads them; None where it can't, or would lose something."""
    try:
        found = pa.array(values, from_pandas=isinstance(values, np.ndarray) or None)
    except UnicodeError:
        raise
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    kind = found.type
    lost: tuple[type, ...] = ()
    if pa.types.is_binary(kind):
        lost = (str,)  # a path among bytes would become bytes
    elif pa.types.is_date(kind):
        lost = (datetime,)  # Arrow would cut off its time
    elif pa.types.is_list(kind):
        lost = (Set,)  # its members have another order in another process
    return None if lost and any(isinstance(value, lost) for value in values) else found


def _of_several_kinds(cells: list[Any]) -> pa.Array:
    """Converted values, which may still be of several kinds."""
    found = _quick(cells)
    if found is not None:
        return found
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
    """Decimals beside floats are floats; whole numbers that no int64 holds keep their digits as text."""
    if any(isinstance(cell, float) for cell in cells):
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def _holds_bytes(cell: Any) -> bool:
    return isinstance(cell, bytes) or (isinstance(cell, dict) and set(cell) <= {"bytes", "path"})


def _file(cell: Any) -> dict[str, Any] | None:
    if cell is None or isinstance(cell, dict):
        return cell
    return {"bytes": cell, "path": None} if isinstance(cell, bytes) else {"bytes": None, "path": cell}


def _spelt(cell: Any) -> str | None:
    """A cell as text: JSON, where it is more than a word."""
    if cell is None or isinstance(cell, str):
        return cell
    simple = isinstance(cell, bool | int | float | list | dict)
    return json.dumps(cell, default=str, ensure_ascii=False) if simple else str(cell)


def _cell(value: Any, notes: dict[str, None]) -> Any:
    """One value as one that Arrow knows.

    Raises:
        _Unknown: there is none.
    """
    if value is None or _is_gap(value):
        return None
    if isinstance(value, Enum) and not isinstance(value, str | int):
        return value.name
    if isinstance(value, np.generic | np.ndarray):
        return _array(value, notes)
    if isinstance(value, PLAIN):
        return value
    if is_picture(value):
        return {"bytes": picture_bytes(value), "path": None}
    if isinstance(value, Mapping):
        return {str(key): _cell(each, notes) for key, each in value.items()}
    if isinstance(value, Set):
        return sorted((_cell(each, notes) for each in value), key=str)
    if isinstance(value, list | tuple | deque | range):
        return [_cell(each, notes) for each in value]
    return _object(value, notes)


def _is_gap(value: Any) -> bool:
    """NaN, NaT, NA or a masked value, of whatever library."""
    if value is np.ma.masked:
        return True
    if isinstance(value, float | np.floating | Decimal):
        return bool(value != value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ in GAPS and type(value).__module__.startswith("pandas")


def _object(value: Any, notes: dict[str, None]) -> Any:
    """An object of a class that stands for something simple."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if type(value).__module__.partition(".")[0] in TENSORS:
        return _tensor(value, notes)
    if type(value).__module__.startswith("pandas"):
        return _of_pandas(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _cell(asdict(value), notes)
    content = _content(value)
    if isinstance(content, bytes):
        return content
    raise _Unknown(_kind(value))


def _content(value: Any) -> Any:
    """What is in an open file, which stays where it was read up to."""
    if hasattr(value, "getvalue"):
        return value.getvalue()
    if not callable(getattr(value, "read", None)) or not value.seekable():
        return None
    place = value.tell()
    content = value.read()
    value.seek(place)
    return content


def _of_pandas(value: Any) -> Any:
    """Intervals as pandas prints them, periods as the moment at which they begin."""
    if type(value).__name__ == "Interval":
        return str(value)
    if type(value).__name__ == "Period":
        return value.to_timestamp().to_pydatetime(warn=False)
    raise _Unknown(_kind(value))


def _tensor(value: Any, notes: dict[str, None]) -> Any:
    try:
        value = value.detach().cpu() if hasattr(value, "detach") else value
        value = value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value
        return _array(np.asarray(value), notes, channels_first=True)
    except (TypeError, ValueError, RuntimeError):
        raise _Unknown(_kind(value)) from None


def _array(value: Any, notes: dict[str, None], *, channels_first: bool = False) -> Any:
    """A number, a list, a list of lists, or a picture."""
    value = np.asarray(value)
    if value.dtype.kind in "mM":
        value = value.astype(f"{value.dtype.kind}8[us]")
    if value.dtype.kind in "cV":
        raise _Unknown("complex numbers" if value.dtype.kind == "c" else f"arrays of {value.dtype}")
    if value.ndim == 0:
        return float(value) if value.dtype.kind == "f" else _cell(value.item(), notes)
    if value.dtype.kind == "O":
        return [_cell(each, notes) for each in value]
    pixels = as_pixels(value, channels_first=channels_first)
    if pixels is not None:
        notes |= {AS_PIXELS: None} if value.dtype.kind == "f" else {}
        return {"bytes": pixel_bytes(pixels), "path": None}
    if value.ndim > 2:
        raise _Unknown(f"arrays of {value.dtype} of {value.ndim} dimensions")
    return value.tolist()


def _kind(value: Any) -> str:
    if isinstance(value, complex):
        return "complex numbers"
    return f"objects of type {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")


def is_several(value: Any) -> bool:
    """Is a value many cells (a column), and not one cell?"""
    if isinstance(value, str | bytes | bytearray | memoryview | os.PathLike | Enum) or is_picture(value):
        return False
    if isinstance(value, Mapping):
        return not set(value) <= {"bytes", "path"}
    if hasattr(value, "ndim"):
        return int(value.ndim) > 0
    columns = ("__arrow_c_array__", "__arrow_c_stream__", "__arrow_array__")
    if any(hasattr(value, name) for name in columns):
        return True
    return isinstance(value, Iterable) and not hasattr(value, "read")
