"""Columns of numbers: infer the notation, read the cells, and report how they were read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import as_modality
from sensorium.findings import Problem, shorten
from sensorium.table import (
    Column,
    Conventions,
    Floats,
    Notation,
    Reading,
    Survey,
    read_texts,
    readings_of_signs,
    spelt_codes,
    spelt_plainly,
    survey,
)

INFINITE = "the value is infinite: read as missing"
LARGEST_EXACT = 2**53  # float64 does not represent all whole numbers beyond it
LOOKED_AT = 1000  # decimal numbers stored as text that are searched for ambiguous marks


def infer_notation(column: Column, known: Conventions | None = None) -> Notation:
    """Infer how a column writes its numbers; `known` are the settings, by default those of its table."""
    found = survey_column(column, known)
    return found.notation if found else plain_notation(column, known or column.conventions)


def plain_notation(column: Column, known: Conventions) -> Notation:
    """Return the notation of cells that read the same in every notation."""
    # Whole numbers show no mark: read what another table writes instead in the notation of this table.
    decimal = known.decimal or (known.shown if column.is_integer else "") or "."
    missing = tuple(sorted({word.strip().casefold() for word in known.missing}))
    return Notation(decimal=decimal, thousandths=decimal == "." or known.decimal is not None, missing=missing)


def survey_column(column: Column, known: Conventions | None = None) -> Survey | None:
    """Return how a column writes its numbers, with counts of its cells; None if they are not text, or read the same in
    every notation.
    """
    known = known or column.conventions
    if column.is_string:
        return survey(column.data, known)
    if column.spelling is None:
        return None
    return None if spelt_plainly(column.spelling, known) else survey(column.spelling, known)


def read_numbers(column: Column, notation: Notation) -> tuple[Floats, list[Problem]]:
    """Read float64[n], NaN if missing or not finite, and the problems."""
    values, _, problems = read_limits(column, notation)
    return values, problems


def read_limits(column: Column, notation: Notation) -> tuple[Floats, npt.NDArray[np.int8], list[Problem]]:
    """Read numbers like `read_numbers`; also return int8[n]: −1 for upper limits ("<5"), +1 for lower ones, else 0."""
    data, problems = column.data, list[Problem]()
    if column.is_number or pa.types.is_boolean(data.type):
        values, told = _typed(column, notation, problems)
        limits = np.zeros(len(values), np.int8)
    else:
        readings = read_texts(column.strings, notation)
        values, limits, told = readings.values, readings.limits, readings.told
    values[np.isin(values, spelt_codes(notation.missing)) & (limits == 0)] = np.nan
    problems += [Problem(r, column.name, said.reason, said.cure, _shown(column, r)) for r, said in told.items()]
    for row in np.flatnonzero(np.isinf(values)):
        problems.append(Problem(int(row), column.name, INFINITE, "", str(values[row])))
    values[~np.isfinite(values)] = np.nan
    return values, limits, sorted(problems, key=Problem.place)


def numbers(column: Column) -> tuple[Floats, list[Problem]]:
    """Read the numbers of a column in the notation inferred from its own cells."""
    return read_numbers(column, infer_notation(column))


def _typed(column: Column, notation: Notation, problems: list[Problem]) -> tuple[Floats, dict[int, Reading]]:
    data = column.data
    if column.spelling is not None and not notation.is_plain:
        found = read_texts(column.spelling, notation)
        return found.values, found.told
    values = np.array(data.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    if column.is_integer:
        cure = f"{as_modality(column.name, 'category')} if it is an identifier"
        whole = pc.fill_null(data, 0).to_numpy()
        for row in np.flatnonzero((whole > LARGEST_EXACT) | (whole < -LARGEST_EXACT)):
            reason = "the whole number exceeds 2^53: its last digits are lost"
            problems.append(Problem(int(row), column.name, reason, cure, str(data[int(row)])))
    return values, readings_of_signs(values, notation)


def _shown(column: Column, row: int) -> str:
    return shorten(column.strings[row].as_py())
