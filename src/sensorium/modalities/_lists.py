"""Lists of numbers: `series` if the numbers are ordered in time, else `vector`. One rule decides for both."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import as_modality
from sensorium.findings import Guess, Unreadable
from sensorium.modalities._files import LEARN_FROM
from sensorium.modalities._step_tables import holds_numbers
from sensorium.modalities._steps import read_list
from sensorium.table import Column, Floats, ListNotation, find_list_notation, likely_list_notation, lists_nothing

VECTOR_NAMES = re.compile(r"embed|vector|(^|_)(emb|vec|features?)(_|$)", re.IGNORECASE)
SERIES_NAMES = re.compile(r"series|price|return|signal|history|sensor|waveform|trace|_\d+d$", re.IGNORECASE)
EQUAL = 0.9  # share of cells of equal length above which the others are errors, not series
CORRELATED = 0.2  # median lag-1 autocorrelation above which neighbouring numbers follow in time
NEAR = 0.1  # margin of it within which the guess is unsure
READABLE = 0.9  # share of the cells that hold numbers
FEW = 10  # fewest cells for a meaningful mean per position
SURE, UNSURE = 0.97, 0.93  # text claims with 0.9
ROUNDING = 1e-9  # relative to the largest number: smaller differences are ignored
SHORTENED = (
    "the arrays were abbreviated ('...') when the table was written, so numbers are lost; write them as "
    "lists (array.tolist()) or raise numpy.set_printoptions(threshold=…)"
)

Kind: TypeAlias = Literal["series", "vector"]


@dataclass(frozen=True)
class _Sign:
    """Kind of a column of lists, and the evidence."""

    kind: Kind
    reason: str
    sure: bool = True


def guess_of_lists(column: Column, kind: Kind) -> Guess | None:
    """Claim a column of lists of numbers, or of text that lists numbers, for `series` or `vector`. The first evidence
    decides: the name, several numbers per step, unequal lengths, correlation of neighbours.
    """
    texts = column.sample(LEARN_FROM) if column.is_string else []
    notation = find_list_notation(texts) if column.is_string else None
    if not (notation or _lists_numbers(column)):
        return None
    cells = _read(column, notation)
    if not cells or len(cells) < READABLE * sum(not lists_nothing(text) for text in texts):
        return None
    shortened = any("..." in text for text in texts)
    sign = _sign(column.name, cells, _lengths(column, cells))
    sign = _Sign("vector", "the arrays are abbreviated") if shortened and sign.kind == "series" else sign
    if sign.kind != kind:
        return None
    spelt = f"text with {notation.describe()}" if notation else "lists of numbers"
    other = "series" if kind == "vector" else "vector"
    caution = "" if sign.sure else f"this is a guess; if it is not a {kind}: {as_modality(column.name, other)}"
    reason = f"{spelt}, {_counts(cells)} each; {sign.reason}"
    return Guess(SURE if sign.sure else UNSURE, reason, SHORTENED if shortened else caution)


def _counts(cells: list[Floats]) -> str:
    lengths = sorted(map(len, cells))
    return f"{lengths[0]:,}" if lengths[0] == lengths[-1] else f"{lengths[0]:,} to {lengths[-1]:,}"


def learn_list_notation(column: Column, separator: str | None, decimal: str | None) -> ListNotation:
    """Learn how the text of the training rows lists numbers; given settings take precedence."""
    texts = column.sample(LEARN_FROM) if column.is_string else []
    found = likely_list_notation([text for text in texts if not lists_nothing(text)])
    return ListNotation(found.separator if separator is None else separator, decimal or found.decimal)


def _lists_numbers(column: Column) -> bool:
    """Return whether a column holds lists of numbers, or lists of such lists."""
    if not column.is_list or not len(column.values):
        return False
    item = column.data.type.value_type
    item = item.value_type if pa.types.is_list(item) else item
    return holds_numbers(item) and not pa.types.is_null(item)


def _read(column: Column, notation: ListNotation | None) -> list[Floats]:
    found = []
    for cell in column.sample(LEARN_FROM):
        if notation and lists_nothing(cell):
            continue
        with suppress(Unreadable):
            numbers = notation.read(cell, shortened=True) if notation else cell
            found.append(read_list(numbers).values)
    return found


def _lengths(column: Column, cells: list[Floats]) -> npt.NDArray[np.int64]:
    """Return the lengths of all lists, or of the sampled cells if they are text."""
    if column.is_list:
        lengths = pc.list_value_length(column.values).to_numpy(zero_copy_only=False).astype(np.int64)
        return np.asarray(lengths[lengths > 0])
    return np.array([len(cell) for cell in cells], np.int64)


def _sign(name: str, cells: list[Floats], lengths: npt.NDArray[np.int64]) -> _Sign:
    """Return the first evidence that distinguishes the two modalities."""
    channels = max(cell.shape[1] for cell in cells)
    if channels > 1 and all(len(cell) == 1 for cell in cells):
        return _Sign("vector", f"one row of {channels:,} numbers, like an embedding")
    if channels > 1:
        return _Sign("series", f"{channels} channels per step")
    usual = int(np.bincount(lengths).argmax()) if len(lengths) else 0
    if (lengths == usual).mean() < EQUAL:
        return _Sign("series", "the lengths differ")
    if usual < 2:
        return _Sign("series", "a single number is not a vector", sure=False)
    if VECTOR_NAMES.search(name):
        return _Sign("vector", "the column name suggests a vector")
    if SERIES_NAMES.search(name):
        return _Sign("series", "the column name suggests a series")
    if np.mean([np.isnan(cell).any() for cell in cells]) > 1 - EQUAL:
        return _Sign("series", "some numbers are missing, which a vector does not allow", sure=False)
    alike = _likeness([cell[:, 0] for cell in cells if len(cell) == usual])
    told = f"correlated (autocorrelation {alike:.2f})"
    if alike > CORRELATED:
        return _Sign("series", f"neighbouring numbers of a list are {told}", alike > CORRELATED + NEAR)
    return _Sign("vector", f"neighbouring numbers of a list are not {told}", sure=False)


def _likeness(cells: list[Floats]) -> float:
    """Return the median lag-1 autocorrelation of lists of one length; 0 if the numbers do not vary.

    The mean of each position is subtracted: dimensions of a feature vector differ, and neighbouring ones may be close
    by chance, but then in every row. If all rows are equal, their raw values are used.
    """
    largest = max((float(np.abs(cell[np.isfinite(cell)]).max(initial=0)) for cell in cells), default=0)
    rows = np.stack(cells) / max(1.0, largest) if cells else np.zeros((0, 0))  # keeps squares of huge numbers finite
    rows = np.where(np.isfinite(rows), rows, np.nan)
    known = np.isfinite(rows)
    if len(rows) >= FEW:
        means = np.where(known, rows, 0).sum(0) / np.maximum(known.sum(0), 1)
        rows = rows - means if np.nanmax(np.abs(rows - means), initial=0) > ROUNDING else rows
    found = [_autocorrelation(row[np.isfinite(row)]) for row in rows]
    return float(np.median(found)) if found else 0.0


def _autocorrelation(values: Floats) -> float:
    """Return the autocorrelation at lag 1; 0 if the values do not vary."""
    values = values - values.mean() if len(values) else values
    power = float(values @ values)
    return float(values[:-1] @ values[1:]) / power if power > 0 else 0.0
