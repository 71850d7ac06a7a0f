"""Summary of a column for people: distributions of its figures, some of its images and curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.table import Floats

BINS = 20
POINTS = 160  # of a curve

Pixels: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Overview:
    """The summary of a column by its modality.

    Attributes:
        figures: name with unit → one finite value per cell; a name that ends in `date` holds seconds since 1970.
        pictures: row → uint8[height, width, 1 or 3].
        curves: row → float64[points, 2]: lowest and highest value around each position, within ±1.
    """

    figures: Mapping[str, Floats] = field(default_factory=dict)
    pictures: Mapping[int, Pixels] = field(default_factory=dict)
    curves: Mapping[int, Floats] = field(default_factory=dict)

    def to_json(self) -> list[dict[str, Any]]:
        """Return a histogram per figure: {"name", "count", "lowest", "median", "highest", "edges", "counts"}."""
        return [_histogram(name, values) for name, values in self.figures.items() if len(values)]


def _histogram(name: str, values: Floats) -> dict[str, Any]:
    low, middle, high = (float(v) for v in np.quantile(values, [0, 0.5, 1]))
    scale = max(abs(low), abs(high)) or 1.0  # keeps the bins of huge numbers finite
    bins = 1 if low == high else BINS
    counts, edges = np.histogram(values / scale, bins, (low / scale, high / scale) if low < high else None)
    show = _day if name.endswith("date") else float
    return {
        "name": name,
        "count": len(values),
        "lowest": show(low),
        "median": show(middle),
        "highest": show(high),
        "edges": [show(edge) for edge in (edges * scale if low < high else np.array([low, high]))],
        "counts": counts.tolist(),
    }


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def outline(wave: npt.NDArray[np.floating[Any]]) -> Floats:
    """Convert [samples] to float64[points, 2]: lowest and highest sample per stretch, scaled to a maximum of 1."""
    parts = np.array_split(wave.astype(np.float64), min(POINTS, len(wave)) or 1)
    found = np.array([[part.min(initial=0), part.max(initial=0)] for part in parts])
    return found / (np.abs(found).max() or 1.0)
