"""Read points on the Earth: pairs of numbers, text such as 48.85° N, 2.35° E, or names and values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import numpy as np

from sensorium.findings import Problem, Unreadable, shorten
from sensorium.table import Column, Floats

LONGEST_TEXT = 100  # characters
LATITUDE, LONGITUDE = ("lat", "latitude"), ("lon", "lng", "long", "longitude")
PART = r"([+-]?\d{1,3}(?:\.\d*)?(?:e[+-]?\d{1,3})?)\s*°?\s*([NSEW])?"
INTERVAL = re.compile(r"\(.*\]|\[.*\)", re.DOTALL)  # half-open, as pandas prints it: not a point
PAIR = re.compile(rf"[\[(]?\s*{PART}\s*(?:[,;]|\s)\s*{PART}\s*[\])]?", re.IGNORECASE)

Order: TypeAlias = Literal["lat_lon", "lon_lat"]


def read_points(column: Column, order: Order) -> tuple[Floats, list[Problem]]:
    """Return float64[n, 2], latitude and longitude in degrees, NaN if missing; and the problems."""
    points, problems = np.full((len(column), 2), np.nan), list[Problem]()
    for row, cell in enumerate(column.data.to_pylist()):
        if cell is not None:
            try:
                points[row] = read_point(cell, order)
            except Unreadable as error:
                reason = f"{error.reason}: read as missing"
                problems.append(Problem(row, column.name, reason, error.cure, shorten(cell)))
    return points, problems


def read_point(cell: Any, order: Order) -> tuple[float, float]:
    """Return latitude and longitude of a cell.

    Raises:
        Unreadable: the cell is not such a pair, or is out of range.
    """
    if isinstance(cell, str):
        cell = _parse_text(cell)
    if isinstance(cell, Mapping):
        parts = {str(name).lower(): value for name, value in cell.items()}
        pair = [next((parts[name] for name in names if name in parts), None) for names in (LATITUDE, LONGITUDE)]
    else:
        pair = list(cell) if isinstance(cell, Sequence) and not isinstance(cell, bytes) else []
        pair = pair[::-1] if order == "lon_lat" else pair
    if len(pair) != 2:
        raise Unreadable("not a pair of latitude and longitude", 'write degrees, such as "48.85, 2.35"')
    north, east = map(_degrees, pair)
    if abs(north) > 90:
        other = "lat_lon" if order == "lon_lat" else "lon_lat"
        swapped = f"set the option order to {other}" if abs(east) <= 90 else "use degrees from −90 to 90"
        raise Unreadable("the latitude is beyond 90 degrees", swapped)
    if not -180 <= east <= 360:
        raise Unreadable("the longitude is outside −180 to 360 degrees", "use degrees from −180 to 180 or 0 to 360")
    return north, east


def _parse_text(text: str) -> Any:
    """Parse a text: a mapping if letters or names identify the numbers, else a pair; None for neither."""
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        return None
    if text.startswith(("{", "[")):
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    found = None if INTERVAL.fullmatch(text) else PAIR.fullmatch(text)
    if not found:
        return None
    one, letter, other, second = found.groups()
    if not (letter or second):
        return [one, other]
    signed = {str(mark).upper(): float(number) for number, mark in ((one, letter), (other, second))}
    north = signed.get("N", -signed["S"] if "S" in signed else None)
    east = signed.get("E", -signed["W"] if "W" in signed else None)
    return {"lat": north, "lon": east}


def _degrees(value: Any) -> float:
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not np.isfinite(number):
        raise Unreadable("a latitude or longitude is not a finite number", "write decimal degrees, such as −33.9")
    return number
