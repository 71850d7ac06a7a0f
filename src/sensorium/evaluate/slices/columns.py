"""Cut rows by the cells of a column: read as the model reads them, or as the column itself suggests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sensorium.config import as_modality
from sensorium.errors import SchemaError
from sensorium.evaluate.slices.cuts import MAX_VALUES, Cut, cut_dates, cut_numbers, cut_sets, cut_values
from sensorium.evaluate.units import Units
from sensorium.findings.claims import best_claim
from sensorium.labels import bare
from sensorium.modalities import Modality, Ragged
from sensorium.modalities.number import read_numbers
from sensorium.modalities.tags import FIRST
from sensorium.registry import modalities
from sensorium.table import Column, Floats, Notation

READ = ("number", "date", "tags")  # modalities that learn how cells are written
REPEATS = 2  # mean number of cells per value from which the values of a column are slices


def cut_column(
    column: Column, modality: str | None = None, learned: Modality | None = None, units: Units | None = None
) -> Cut | None:
    """Cut rows by a column: tags by tag, numbers and dates by range, others by value.

    Args:
        column: cells of the rows.
        modality: registered name of its modality; by default the one that claims it.
        learned: the modality as a model has learned it; by default it learns from these cells.
        units: units of the rows, which are cut instead: by the mean of numbers and dates, by the values that all rows
            of a unit share.

    Returns: The slices of rows, or of units; None if there are too many different values, as of texts and files.
    """
    name = modality or best_claim(modalities, column, partial(as_modality, column.name))[0]
    known: Any = learned or (modalities.load(name).learn(column) if name in READ else None)
    if name == "number":
        numbers = read_numbers(column, Notation.from_json(known.notation))[0]
        return cut_numbers(column.name, _means(numbers, units))
    if name == "date":
        return cut_dates(column.name, _means(known.moments(column), units))
    cut = _by_tag(column, known) if name == "tags" else _by_value(column, name)
    return cut if cut is None or units is None else cut.of_units(units)


def _means(numbers: Floats, units: Units | None) -> Floats:
    """Return the mean of each unit over the rows that have a number; NaN if none has one."""
    known = np.isfinite(numbers)
    return (
        numbers if units is None else np.where(units.any(known), units.mean(np.where(known, numbers, 0), known), np.nan)
    )


def _by_value(column: Column, modality: str | None) -> Cut | None:
    cells = column.strings.to_pylist()
    values = [None if cell is None else bare(cell) or None for cell in cells]
    different = len({value for value in values if value is not None})
    if different > MAX_VALUES and (modality != "category" or different * REPEATS > len(column.values)):
        return None
    return cut_values(column.name, values)


def no_slices(column: Column, place: str) -> SchemaError:
    """Return the error for a column that cannot be cut into slices."""
    return SchemaError(
        f"column {column.name!r} has {column.distinct:,} different values in {len(column.values):,} cells",
        place=place,
        rule="slices are values that repeat, ranges of numbers or dates, or clusters of texts and files",
        cure="--find-slices (Python: find_slices=True) clusters the texts and files that the model reads",
    )


def _by_tag(column: Column, learned: Any) -> Cut:
    encoded = learned.encode(column)
    assert isinstance(encoded.values, Ragged)
    cells = (_tags(learned.tags, encoded.values[row]) for row in range(len(column)))
    return cut_sets(column.name, [tags if there else None for tags, there in zip(cells, encoded.present, strict=True)])


def _tags(names: Sequence[str], ids: np.ndarray) -> list[str]:
    return [names[place - FIRST] for place in ids.tolist() if place >= FIRST]
