"""Geographic coordinates: latitude and longitude, encoded as a point on the sphere and as waves of several lengths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, PositiveFloat

from sensorium.findings import Guess, Unreadable
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._fields import check_scale
from sensorium.modalities._geo_points import Order, read_point, read_points
from sensorium.modalities._overview import Overview
from sensorium.modalities._scale import standardise
from sensorium.table import Column, Floats

RADIUS = 6371.0  # km, of the Earth
NEAR = 1e-9  # of the radius, some millimetres: points closer than this are equal
LONGEST = 8.0  # standard deviations, of the longest wave
AMOUNT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d{1,2}")  # 1.234,50 is a price, whatever the other cells are
NAMES = re.compile(r"(^|_)(geo|gps|coord|lat_?(lon|lng)|lon_?lat|location|place|position|point)", re.IGNORECASE)


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
                found.append(read_point(cell, "lat_lon"))
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
        sure = column.is_string and not whole and _without_brackets(sample)
        return Guess(0.98 if sure else 0.3, reason)

    @classmethod
    def learn(cls, column: Column, *, order: Order = "lat_lon", scales: Annotated[int, Field(gt=0, le=64)] = 4) -> Self:
        """Learn the scale of the points.

        Args:
            column: training rows.
            order: which of two numbers comes first, if no name or letter shows it.
            scales: number of wavelengths, each half as long as the previous one.
        """
        points, _ = read_points(column, order)
        places = _on_sphere(points[np.isfinite(points[:, 0])])
        mean = places.mean(0) if len(places) else np.zeros(3)
        deviation = float(np.sqrt(((places - mean) ** 2).sum(1).mean())) if len(places) else 0.0
        return cls(order, scales, mean, deviation if deviation > NEAR else 1.0)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        points, problems = read_points(column, self.order)
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
        points, _ = read_points(column, self.order)
        north, east = points[np.isfinite(points[:, 0])].T
        return Overview({"latitude in degrees": north, "longitude in degrees": east})

    def describe(self) -> str:
        x, y, z = self.mean
        north, east = np.degrees([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)])
        return f"around {north:.4g}, {east:.4g}, mean distance {RADIUS * self.deviation:,.3g} km"


def _on_sphere(points: Floats) -> Floats:
    """Return points on the unit sphere, float64[n, 3]: x to the zero meridian, y to 90° east, z to the north pole."""
    north, east = np.radians(points).T
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], 1)


def _without_brackets(sample: list[str]) -> bool:
    """Return whether no cell is a list in brackets, which may be a vector."""
    return not any(text.lstrip().startswith("[") for text in sample)
