"""A few figures of each column as the model reads it, so that another table's can be held against them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.modalities import Encoded, Modality, Ragged
from sensorium.prepare import Prepared
from sensorium.prepare.streamed import Streamed

Rows: TypeAlias = npt.NDArray[np.int64]
Sketch: TypeAlias = dict[str, float]

LOOKED_AT = 1000  # cells of a column at most, evenly spaced
NUMBERS = 4_000_000  # … fewer where cells are large; 16 at least
DIGITS = 6


def sketch_columns(
    prepared: Prepared, learnt: Mapping[str, Modality], rows: Rows, vectors: Collection[str] = ()
) -> dict[str, Sketch]:
    """Column → `present`, and of what is read where it is there:

    `mean` and `deviation` of amounts (numbers in the training rows' deviations, brightness, loudness), `unknown`, the
    share of codes that stand for what training did not see, and `length` in steps (words, frames).

    Args:
        prepared: the arrays.
        learnt: column → modality.
        rows: which rows; of their cells that are there at most a thousand are looked at.
        vectors: columns whose arrays are features of a frozen encoder: only whether they are there is told.
    """
    return {
        name: _sketch(found, learnt[name], rows, plain=name not in vectors)
        for name, found in prepared.columns.items()
        if len(rows)
    }


def columns_moved(before: Mapping[str, Sketch], after: Mapping[str, Sketch]) -> dict[str, Any]:
    """Column → each figure that both have as [before, after], and `shift`, the means' distance in old deviations."""
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
    count = min(len(rows), LOOKED_AT, max(16, int(NUMBERS / max(1.0, size))))
    return rows[np.unique(np.linspace(0, len(rows) - 1, count).astype(np.int64))]


def _figures(values: npt.NDArray[Any] | Ragged, rows: Rows, unknown: int | None) -> Sketch:
    figures: Sketch = {}
    if isinstance(values, Ragged):
        cells = np.concatenate([values[row] for row in rows])
        figures["length"] = len(cells) / len(rows)
    else:
        cells = values[rows]
    if cells.dtype == np.uint8 or cells.dtype.kind == "f":
        amounts = cells.astype(np.float64)
        return figures | {"mean": float(amounts.mean()), "deviation": float(amounts.std())}
    return figures | ({} if unknown is None else {"unknown": float((cells == unknown).mean())})
