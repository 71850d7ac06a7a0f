"""Geographic coordinates: latitude and longitude, encoded as a point on the sphere and as waves of several lengths."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, PositiveFloat

from sensorium.findings import Guess, Problem, Unreadable, shorten
from sensorium.modalities._base import Encoded, EncoderSpec, Modality, Work
from sensorium.modalities._fields import check_scale
from sensorium.modalities._overview import Overview
from sensorium.modalities.number import standardise
from sensorium.table import Column

RADIUS = 6371.0  # km, of the Earth
NEAR = 1e-9  # of the radius, some millimetres: points closer than this are equal
LONGEST = 8.0  # standard deviations, of the longest wave
LONGEST_TEXT = 100  # characters
AMOUNT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d{1,2}")  # 1.234,50 is a price, whatever the other cells are
NAMES = re.compile(r"(^|_)(geo|gps|coord|lat_?(lon|lng)|lon_?lat|location|place|position|point)", re.IGNORECASE)
LATITUDE, LONGITUDE = ("lat", "latitude"), ("lon", "lng", "long", "longitude")
PART = r"([+-]?\d{1,3}(?:\.\d*)?(?:e[+-]?\d{1,3})?)\s*°?\s*([NSEW])?"
INTERVAL = re.compile(r"\(.*\]|\[.*\)", re.DOTALL)  # half-open, as pandas prints it: not a point
PAIR = re.compile(rf"[\[(]?\s*{PART}\s*(?:[,;]|\s)\s*{PART}\s*[\])]?", re.IGNORECASE)

Floats: TypeAlias = npt.NDArray[np.float64]
Order: TypeAlias = Literal["lat_lon", "lon_lat"]


@dataclass(frozen=True)
class Geo(Modality):
    """A point on the Earth: latitude (−90 to 90 degrees, north positive) and longitude (−180 to 360, east positive).

    The cells are text such as "48.85, 2.35" or "48.85° N, 2.35° E", a list of the two, JSON of one, or {lat, lon}.

    Encodes to float32[n, 3 + 6 · scales]: x, y, z on the unit sphere, minus their mean, divided by their root mean
    square distance from it in training (the spread); then sine and cosine of each at wavelengths of 8, 4, 2 … spreads
    (Mai et al. 2020, arXiv:2003.00824). Neighbours stay close at the poles and at the 180th meridian, and the finest
    waves suit the points of a town as well as those of a continent.

    Attributes:
        order: order of the two numbers if no name or letter shows it.
        scales: number of wavelengths.
        mean: float64[3], of the training points.
        deviation: root mean square distance from the mean, in Earth radii; 1 if the points do not differ.
    """

    encoder: ClassVar[str] = "tabular"
    tower: ClassVar[str | None] = "tabular"

    order: Order
    scales: Annotated[int, Field(gt=0, le=64)]
    mean: Floats
    deviation: PositiveFloat

    def check(self) -> None:
        check_scale(self.mean, np.ones(3), 3)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        kind = column.data.type
        if not (column.is_string or column.is_list or pa.types.is_struct(kind)):
            return None
        sample, found = column.sample(300), list[tuple[float, float]]()
        for cell in sample:
            try:
                found.append(_point(cell, "lat_lon"))
            except Unreadable:
                return None
        if not found:
            return None
        if column.is_string and sum(bool(AMOUNT.fullmatch(cell.strip())) for cell in sample) > 0.5 * len(sample):
            return None
        reason = f"pairs such as {str(sample[0])[:40]!r}, within −90 to 90 and −180 to 360"
        # "12,345.6" is a number with a thousands separator: all of its "latitudes" are whole.
        whole = any(all(part.is_integer() for part in parts) for parts in zip(*found, strict=True))
        if pa.types.is_struct(kind) or (NAMES.search(column.name) and not whole):
            return Guess(0.99, f"{reason}, named like coordinates")
        return Guess(0.98, reason) if column.is_string and not whole and _lists_nothing(sample) else Guess(0.3, reason)

    @classmethod
    def learn(cls, column: Column, *, order: Order = "lat_lon", scales: Annotated[int, Field(gt=0, le=64)] = 4) -> Self:
        """Learn the scale of the points.

        Args:
            column: training rows.
            order: which of two numbers comes first, if no name or letter shows it.
            scales: number of wavelengths, each half as long as the previous one.
        """
        points, _ = _points(column, order)
        places = _on_sphere(points[np.isfinite(points[:, 0])])
        mean = places.mean(0) if len(places) else np.zeros(3)
        deviation = float(np.sqrt(((places - mean) ** 2).sum(1).mean())) if len(places) else 0.0
        return cls(order, scales, mean, deviation if deviation > NEAR else 1.0)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        points, problems = _points(column, self.order)
        present = np.isfinite(points[:, 0])
        places = standardise(_on_sphere(np.where(present[:, None], points, 0)), self.mean, self.deviation)
        angles = places[:, None] * (2 * np.pi / LONGEST * 2.0 ** np.arange(self.scales))[:, None]  # [n, scales, 3]
        waves = np.stack([np.sin(angles), np.cos(angles)], 1).reshape(len(places), 6 * self.scales)
        features = np.concatenate([places, waves], 1) * present[:, None]
        work.advance(len(column))
        return Encoded(features.astype(np.float32), present, problems)

    def encoder_spec(self) -> EncoderSpec:
        return {"floats": 3 + 6 * self.scales}

    def overview(self, column: Column) -> Overview:
        points, _ = _points(column, self.order)
        north, east = points[np.isfinite(points[:, 0])].T
        return Overview({"latitude in degrees": north, "longitude in degrees": east})

    def describe(self) -> str:
        x, y, z = self.mean
        north, east = np.degrees([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)])
        return f"around {north:.4g}, {east:.4g}, mean distance {RADIUS * self.deviation:,.3g} km"


def _points(column: Column, order: Order) -> tuple[Floats, list[Problem]]:
    """Return float64[n, 2], latitude and longitude in degrees, NaN if missing; and the problems."""
    points, problems = np.full((len(column), 2), np.nan), list[Problem]()
    for row, cell in enumerate(column.data.to_pylist()):
        if cell is not None:
            try:
                points[row] = _point(cell, order)
            except Unreadable as error:
                reason = f"{error.reason}: read as missing"
                problems.append(Problem(row, column.name, reason, error.cure, shorten(cell)))
    return points, problems


def _point(cell: Any, order: Order) -> tuple[float, float]:
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
        swapped = "set the option order to lon_lat or lat_lon" if abs(east) <= 90 else "use degrees from −90 to 90"
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


def _on_sphere(points: Floats) -> Floats:
    """Return points on the unit sphere, float64[n, 3]: x to the zero meridian, y to 90° east, z to the north pole."""
    north, east = np.radians(points).T
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], 1)


def _lists_nothing(sample: list[str]) -> bool:
    """Return whether the cells are lists of two numbers in a column without a telling name: they may be vectors."""
    return not any(text.lstrip().startswith("[") for text in sample)
