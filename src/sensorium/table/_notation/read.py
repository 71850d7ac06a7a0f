"""Read a whole column in its notation: common spellings vectorized, other cells one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._notation.notation import (
    AS_TRAINED,
    NO_FRACTION,
    NO_SIGN,
    NO_SUFFIX,
    WITH_SIGN,
    Notation,
    Reading,
)
from sensorium.table._notation.units import unit_pattern
from sensorium.table._notation.words import QUOTES, SPACES

PLAIN = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*$"
COMMA = r"^\s*[+-]?([0-9]+,?[0-9]*|,[0-9]+)([eE][+-]?[0-9]{1,3})?\s*$"
WHOLE = r"^\s*[+-]?[0-9]+\s*$"
VARIANTS = {" ": SPACES, "'": QUOTES}


@dataclass(frozen=True)
class Readings:
    """Numbers read from the cells of a column.

    Attributes:
        values: float64[n], NaN if missing; infinite if a cell is.
        limits: int8[n]: −1 if the value is an upper limit, +1 if it is a lower one, else 0.
        told: row → message about the cell.
    """

    values: npt.NDArray[np.float64]
    limits: npt.NDArray[np.int8]
    told: dict[int, Reading]


def read_texts(texts: pa.Array, notation: Notation) -> Readings:
    """Read text as numbers."""
    pending = np.array(pc.is_valid(texts).to_numpy(zero_copy_only=False))
    if notation.units:
        texts = pc.replace_substring_regex(texts, unit_pattern(notation.units), r"\1")
    values, told = np.full(len(texts), np.nan), dict[int, Reading]()
    for pattern, marks in _patterns(notation):
        if not pending.any():
            break
        fits = np.asarray(pc.fill_null(pc.match_substring_regex(texts, pattern), False)) & pending
        if not notation.thousandths:
            fits &= ~np.asarray(pc.fill_null(pc.match_substring_regex(texts, _in_doubt(notation)), False))
        if fits.any():
            values[fits] = _cast(texts if fits.all() else texts.filter(pa.array(fits)), marks)
            pending &= ~fits
    told |= readings_of_signs(values, notation)
    limits = np.zeros(len(texts), np.int8)
    rows = np.flatnonzero(pending)
    if len(rows):
        cells = texts.take(pa.array(rows)).dictionary_encode()
        found = [notation.read(text) for text in cells.dictionary.to_pylist()]
        places = cells.indices.to_numpy(zero_copy_only=False)
        values[rows] = np.array([reading.value for reading in found])[places]
        limits[rows] = np.array([reading.limit for reading in found], np.int8)[places]
        odd = np.array([bool(reading.reason) for reading in found])[places]
        told |= {int(row): found[place] for row, place in zip(rows[odd], places[odd], strict=True)}
    return Readings(values, limits, dict(sorted(told.items())))


def with_point(texts: pa.Array, notation: Notation | None) -> pa.Array:
    """Return text with the numbers of a notation rewritten with a decimal point; other columns unchanged."""
    if notation is None or not pa.types.is_string(texts.type):
        return texts
    values = read_texts(texts, notation).values
    known = pa.array(np.isfinite(values))
    return pc.if_else(known, pa.array(np.where(np.isfinite(values), values, 0)).cast(pa.string()), texts)


def readings_of_signs(values: npt.NDArray[np.float64], notation: Notation) -> dict[int, Reading]:
    """Check plain numbers, which have neither % nor suffix: ambiguous ones become missing or are reported."""
    if notation.percent in ("all", "fraction"):
        return _without_sign(values, notation)
    if not notation.always_suffixed:
        return {}
    rows = np.flatnonzero(np.isfinite(values) & (values != 0)).tolist()
    return {row: Reading(values[row], 0, NO_SUFFIX, AS_TRAINED) for row in rows}


def _patterns(notation: Notation) -> list[tuple[str, tuple[str, str]]]:
    """Return regular expressions of cells that are read at once, each with the marks to drop and the decimal mark."""
    if notation.mixed:
        return [(WHOLE, ("", "."))]
    found = [(PLAIN if notation.decimal == "." else COMMA, ("", notation.decimal))]
    for mark in notation.thousands:
        signs = f"[{VARIANTS.get(mark, mark)}]"
        decimal = re.escape(notation.decimal)
        found.append(
            (rf"^\s*[+-]?[1-9][0-9]{{0,2}}({signs}[0-9]{{3}})+({decimal}[0-9]*)?\s*$", (signs, notation.decimal))
        )
    return found


def _in_doubt(notation: Notation) -> str:
    """Return the cells whose decimal mark may separate thousands."""
    return rf"^\s*[+-]?[1-9][0-9]{{0,2}}{re.escape(notation.decimal)}[0-9]{{3}}\s*$"


def _cast(texts: pa.Array, marks: tuple[str, str]) -> npt.NDArray[np.float64]:
    dropped, decimal = marks
    texts = pc.utf8_trim_whitespace(texts)
    texts = pc.replace_substring_regex(texts, dropped, "") if dropped else texts
    texts = texts if decimal == "." else pc.replace_substring(texts, decimal, ".")
    return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _without_sign(values: npt.NDArray[np.float64], notation: Notation) -> dict[int, Reading]:
    """Make plain numbers in columns of percentages missing, and report them."""
    is_all = notation.percent == "all"
    wrong = np.isfinite(values) if is_all else np.abs(values) > notation.largest_fraction
    values[wrong] = np.nan
    reason, cure = (NO_SIGN, AS_TRAINED) if is_all else (NO_FRACTION, WITH_SIGN)
    reading = Reading(np.nan, 0, f"{reason}: read as missing", cure)
    return dict.fromkeys(np.flatnonzero(wrong).tolist(), reading)
