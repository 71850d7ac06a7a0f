"""Summary statistics of each column as the model reads it, to compare them with those of another table."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.modalities import Encoded, Modality, Ragged
from sensorium.prepare import Prepared
from sensorium.prepare.streamed import Streamed
from sensorium.table import Rows, evenly_spaced

Sketch: TypeAlias = dict[str, float]

LOOKED_AT = 1000  # cells of a column at most, evenly spaced
NUMBERS = 4_000_000  # … fewer where cells are large; 16 at least
DIGITS = 6


def sketch_columns(
    prepared: Prepared, learnt: Mapping[str, Modality], rows: Rows, vectors: Collection[str] = ()
) -> dict[str, Sketch]:
    """Compute the statistics of each column.

    `present` is the share of rows with a value. For these values, `mean` and `deviation` are those of numbers
    (standardized numbers, brightness, loudness), `unknown` is the share of codes for values that training did not see,
    and `length` counts steps (words, frames).

    Args:
        prepared: the prepared columns.
        learnt: column → modality.
        rows: positions of the rows; at most a thousand values are used.
        vectors: columns whose arrays are features of a frozen encoder; only `present` is computed for them.
    """
    return {
        name: _sketch(found, learnt[name], rows, plain=name not in vectors)
        for name, found in prepared.columns.items()
        if len(rows)
    }


def measure_column_shift(before: Mapping[str, Sketch], after: Mapping[str, Sketch]) -> dict[str, Any]:
    """Compare statistics as [before, after]; `shift` is the change of the mean in old standard deviations."""
    found: dict[str, Any] = {}
    for name, new in after.items():
        old = before.get(name, {})
        found[name] = {key: [old[key], new[key]] for key in new if key in old}
        if {"mean", "deviation"} <= {*old} and "mean" in new:
            wide = old["deviation"] > 0
            found[name]["shift"] = round((new["mean"] - old["mean"]) / old["deviation"], DIGITS) if wide else None
    return found


def _sketch(found: Encoded | Streamed, modality: Modality, rows: Rows, *, plain: bool) -> Sketch:
    sketch = {"present": float(found.present[rows].mean())}
    there = rows[found.present[rows]]
    if plain and len(there) and isinstance(found, Encoded):
        sketch |= _figures(found.values, _some(there, found.values), modality.unknown())
    return {key: round(value, DIGITS) + 0.0 for key, value in sketch.items() if math.isfinite(value)}


def _some(rows: Rows, values: npt.NDArray[Any] | Ragged) -> Rows:
    array = values.values if isinstance(values, Ragged) else values
    size = array.size / max(1, len(values))  # numbers of a cell
    count = min(LOOKED_AT, max(16, int(NUMBERS / max(1.0, size))))
    return rows[evenly_spaced(len(rows), count)]


def _figures(values: npt.NDArray[Any] | Ragged, rows: Rows, unknown: int | None) -> Sketch:
    figures: Sketch = {}
    if isinstance(values, Ragged):
        cells = np.concatenate([values[row] for row in rows])
        figures["length"] = len(cells) / len(rows)
    else:
        cells = values[rows]
    if cells.dtype == np.uint8 or cells.dtype.kind == "f":
        numbers = cells.astype(np.float64)
        return figures | {"mean": float(numbers.mean()), "deviation": float(numbers.std())}
    return figures | ({} if unknown is None else {"unknown": float((cells == unknown).mean())})
