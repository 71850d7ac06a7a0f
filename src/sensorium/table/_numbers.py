"""Convert columns to arrays of numbers, and such arrays to columns of lists."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import TableError
from sensorium.findings import Problem, Unreadable, shorten
from sensorium.table._arrays import Floats, Truths
from sensorium.table._arrow_types import is_number_type
from sensorium.table._spelt import spells_lists, spelt_list
from sensorium.table._types import FLOAT_TEXT

MOST = 2**31 - 1  # numbers that Arrow's lists count


@dataclass(frozen=True)
class Lists:
    """Column of lists of numbers.

    Attributes:
        values: float64[total], end to end, NaN for gaps.
        lengths: int64[n]; 0 for a missing cell.
        present: bool[n].
        problems: cells that are not a list of numbers.
    """

    values: Floats
    lengths: npt.NDArray[np.int64]
    present: Truths
    problems: list[Problem]


def holds_lists(column: pa.Array) -> bool:
    """Return whether the column holds lists, or text with a cell that begins like a list."""
    return bool(pa.types.is_list(column.type) or (pa.types.is_string(column.type) and spells_lists(column).any()))


def as_numbers(column: pa.Array, name: str, place: str) -> tuple[Floats, list[Problem]]:
    """Return float64[n], NaN for cells that are missing or text without a number, which is reported.

    Raises:
        TableError: the column holds neither numbers nor text.
    """
    kind, problems = column.type, list[Problem]()
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_string(kind):
        fits = pc.match_substring_regex(column, FLOAT_TEXT).fill_null(False)
        odd = np.flatnonzero(np.asarray(column.is_valid()) & ~np.asarray(fits))
        problems = [
            Problem(int(row), name, "a step that is not a number: read as a gap", "", shorten(column[int(row)].as_py()))
            for row in odd
        ]
        column = pc.if_else(fits, column, pa.scalar(None, pa.string()))
    elif not is_number_type(kind):
        raise TableError(f"column {name!r} has the type {kind}", place=place, rule="numbers")
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64), problems


def as_lists(column: pa.Array, name: str, place: str) -> Lists:
    """Return the lists of a column, or those that its text spells.

    Raises:
        TableError: the items are not numbers.
    """
    problems = list[Problem]()
    if pa.types.is_string(column.type):
        column, problems = _spelt(column, name)
    item = column.type.value_type
    if not (is_number_type(item) or pa.types.is_null(item)):
        raise TableError(f"column {name!r} has the type {column.type}", place=place, rule="lists of numbers")
    flat = column.flatten().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return Lists(np.asarray(flat, np.float64), lengths, np.asarray(column.is_valid()), problems)


def rows_of_lists(steps: Floats, place: str) -> pa.Array:
    """Return a column of lists of k numbers from float64[n, k]; NaN becomes null, a row of only NaN a missing cell."""
    _check_size(steps.size, place)
    rows, width = steps.shape
    offsets = pa.array(np.arange(0, rows * width + 1, width) if width else np.zeros(rows + 1), pa.int32())
    gaps = np.isnan(steps)
    return pa.ListArray.from_arrays(offsets, pa.array(steps.ravel(), mask=gaps.ravel()), mask=pa.array(gaps.all(1)))


def join_channels(parts: list[Lists], place: str) -> tuple[pa.Array, Truths]:
    """Join lists of numbers, as channels, into one list of steps per row, aligned at the last step.

    Returns:
        The column; bool[n]: rows in which parts that are present have different lengths.
    """
    lengths, present = np.stack([part.lengths for part in parts]), np.stack([part.present for part in parts])
    ends = np.cumsum(lengths.max(0))
    total = int(ends[-1]) if len(ends) else 0
    _check_size(total * len(parts), place)
    values = np.full((total, len(parts)), np.nan)
    for channel, part in enumerate(parts):
        starts = np.repeat(np.cumsum(part.lengths) - part.lengths, part.lengths)
        places = np.repeat(ends - part.lengths, part.lengths) + np.arange(len(part.values)) - starts
        values[places, channel] = part.values
    flat = pa.array(values.ravel(), mask=np.isnan(values.ravel()))
    steps = pa.ListArray.from_arrays(pa.array(np.arange(total + 1) * len(parts), pa.int32()), flat)
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    shortest = np.where(present, lengths, MOST).min(0)
    uneven = present.any(0) & (shortest < lengths.max(0))
    return pa.ListArray.from_arrays(offsets, steps, mask=pa.array(~present.any(0))), uneven


def natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts t2 before t10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _spelt(column: pa.Array, name: str) -> tuple[pa.Array, list[Problem]]:
    cells, problems = list[pa.Array | None](), list[Problem]()
    for row, text in enumerate(column.to_pylist()):
        try:
            cells.append(None if text is None else pa.array(spelt_list(text), pa.float64()).to_pylist())
        except (Unreadable, pa.ArrowException, TypeError, OverflowError):
            cells.append(None)
            reason = "text that is not a list of numbers: read as a gap at every step"
            problems.append(Problem(row, name, reason, "write it as JSON: [1.0, 2.5, null, 3]", shorten(text)))
    return pa.array(cells, pa.list_(pa.float64())), problems


def _check_size(numbers: int, place: str) -> None:
    if numbers > MOST:
        raise TableError(
            f"{numbers:,} numbers in one column", place=place, rule=f"at most {MOST:,}", cure="use fewer rows"
        )
