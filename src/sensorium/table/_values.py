"""Convert a Python value to one that Arrow supports."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Set
from dataclasses import asdict, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np

from sensorium.table._pictures import as_pixels, is_picture, picture_bytes, pixel_bytes

PLAIN = (str, bool, int, float, bytes, date, time, timedelta, type(None))
TO_PYTHON = ("as_py", "to_pylist", "to_list")  # of Arrow's scalars and arrays, of a Series
GAPS = ("NAType", "NaTType")  # of pandas
TENSORS = ("torch", "tensorflow", "jax", "jaxlib", "cupy", "mlx")  # libraries whose arrays NumPy reads
AS_PIXELS = "numbers from 0 to 1 are read as 8-bit pixels"


class UnknownValue(Exception):
    """Value that no column can hold; the message names its kind."""


def plain_value(value: Any, notes: dict[str, None]) -> Any:
    """Return a value that Arrow supports.

    Args:
        value: any value.
        notes: receives messages about values that change.

    Raises:
        UnknownValue: a column cannot hold the value.
    """
    if value is None or _is_gap(value):
        return None
    if isinstance(value, Enum) and not isinstance(value, str | int):
        return value.name
    if isinstance(value, np.generic | np.ndarray):
        return _array(value, notes)
    if isinstance(value, PLAIN):
        return _whole_text(value) if isinstance(value, str) else value
    if is_picture(value):
        return {"bytes": picture_bytes(value), "path": None}
    if isinstance(value, Mapping):
        return {_whole_text(str(key)): plain_value(each, notes) for key, each in value.items()}
    if isinstance(value, Set):
        return sorted((plain_value(each, notes) for each in value), key=str)
    if isinstance(value, list | tuple | deque | range):
        return [plain_value(each, notes) for each in value]
    return _object(value, notes)


def _whole_text(text: str) -> str:
    """Raise UnknownValue for a lone surrogate, which JSON can contain but a column cannot."""
    try:
        text.encode()
    except UnicodeError:
        raise UnknownValue("half a character (a lone surrogate)") from None
    return text


def _is_gap(value: Any) -> bool:
    """Return whether the value is NaN, NaT, NA or a masked value of any library."""
    if value is np.ma.masked:
        return True
    if isinstance(value, float | np.floating | Decimal):
        return bool(value != value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ in GAPS and type(value).__module__.startswith("pandas")


def _object(value: Any, notes: dict[str, None]) -> Any:
    """Convert an object that represents a simple value."""
    simple = _simple(value)
    if simple is not None:
        return simple
    if type(value).__module__.partition(".")[0] in TENSORS:
        return _tensor(value, notes)
    listed = next((getattr(value, name) for name in TO_PYTHON if hasattr(value, name)), None)
    if callable(listed):
        return plain_value(listed(), notes)
    if is_dataclass(value) and not isinstance(value, type):
        return plain_value(asdict(value), notes)
    content = _content(value)
    if isinstance(content, bytes):
        return content
    raise UnknownValue(_kind(value))


def _simple(value: Any) -> Any:
    """Return the number, text, bytes or time that an object represents; None for other objects."""
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
    if type(value).__module__.startswith("pandas") and type(value).__name__ == "Interval":
        return str(value)
    if type(value).__module__.startswith("pandas") and type(value).__name__ == "Period":
        return value.to_timestamp().to_pydatetime(warn=False)
    return None


def _content(value: Any) -> Any:
    """Read an open file, and restore its position."""
    if hasattr(value, "getvalue"):
        return value.getvalue()
    if not callable(getattr(value, "read", None)) or not value.seekable():
        return None
    place = value.tell()
    content = value.read()
    value.seek(place)
    return content


def _tensor(value: Any, notes: dict[str, None]) -> Any:
    try:
        value = value.detach().cpu() if hasattr(value, "detach") else value
        value = value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value
        return _array(np.asarray(value), notes, channels_first=True)
    except (TypeError, ValueError, RuntimeError):
        raise UnknownValue(_kind(value)) from None


def _array(value: Any, notes: dict[str, None], *, channels_first: bool = False) -> Any:
    """Convert an array to a number, a list, a list of lists, or an image."""
    value = np.asarray(value)
    if value.dtype.kind in "mM":
        value = value.astype(f"{value.dtype.kind}8[us]")
    if value.dtype.kind in "cV":
        raise UnknownValue("complex numbers" if value.dtype.kind == "c" else f"arrays of {value.dtype}")
    if value.ndim == 0:
        return float(value) if value.dtype.kind == "f" else plain_value(value.item(), notes)
    if value.dtype.kind == "O":
        return [plain_value(each, notes) for each in value]
    pixels = as_pixels(value, channels_first=channels_first)
    if pixels is not None:
        notes |= {AS_PIXELS: None} if value.dtype.kind == "f" else {}
        return {"bytes": pixel_bytes(pixels), "path": None}
    if value.ndim > 2:
        raise UnknownValue(f"arrays of {value.dtype} of {value.ndim} dimensions")
    return value.tolist()


def _kind(value: Any) -> str:
    if isinstance(value, complex):
        return "complex numbers"
    return f"objects of type {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
