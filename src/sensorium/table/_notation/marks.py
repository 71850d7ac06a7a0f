"""Infer which marks are decimal ones, and which separate thousands."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._notation.conventions import Conventions
from sensorium.table._notation.notation import Notation
from sensorium.table._notation.tally import Tally

SLIPS = 0.02  # share of cells up to which another notation is a slip
COMMA_PARTS_THOUSANDS = (
    "USD",
    "GBP",
    "JPY",
    "CNY",
    "INR",
    "KRW",
    "HKD",
    "SGD",
    "NZD",
    "AUD",
    "MXN",
    "THB",
    "ILS",
    "PHP",
)
FEWEST_SMALL = 3  # numbers below 1000 without a mark that show that marks part thousands


def thousandths(texts: pa.Array, notation: Notation) -> bool:
    """Return whether a cell may have three decimals: some have a number other than two, as money has, or none.

    This matters if commas and points are marks of numbers.
    """
    if notation.decimal == "." and "," not in notation.thousands:
        return True
    mark = re.escape(notation.decimal)
    shown = pc.match_substring_regex(texts, rf"{mark}([0-9]|[0-9]{{3,}})([^0-9]|$)")
    return bool(pc.any(shown).as_py())


def decimal_mark(counts: Tally, known: Conventions) -> tuple[str, str]:
    """Return the decimal mark, and the mark whose meaning is read by default because it is ambiguous."""
    if known.decimal:
        return known.decimal, ""
    if known.thousands and known.thousands in ".,":
        return (",", "") if known.thousands == "." else (".", "")
    shown = counts.decimals[","] - counts.decimals["."] or counts.groups["."] - counts.groups[","]
    if shown or is_mixed(counts):
        return (",", "") if shown > 0 else (".", "")
    doubtful = counts.doubtful["."] + counts.doubtful[","]
    marked = doubtful or not (counts.decimals.total() + counts.groups.total())
    if marked and known.shown:
        return known.shown, ""
    english = counts.currencies and counts.currencies.most_common(1)[0][0] in COMMA_PARTS_THOUSANDS
    if counts.doubtful[","] and not english and not (_parts_thousands(counts) and not counts.doubtful["."]):
        return ".", ","
    plainly = known.separator == "," and not known.shows_commas
    return ".", "." if counts.doubtful["."] and not plainly else ""


def _parts_thousands(counts: Tally) -> bool:
    """Return whether integers below 1000 have no thousands mark, and all above have one.

    If the mark were a decimal one, some numbers would have one or two digits behind it.
    """
    return counts.small >= FEWEST_SMALL and counts.small == counts.plain


def thousands_marks(counts: Tally, known: Conventions, decimal: str) -> str:
    if known.thousands is not None:
        return known.thousands
    marks = [mark for mark in counts.groups if mark != decimal]
    other = "," if decimal == "." else "."
    if counts.doubtful[other] and (known.decimal or not is_mixed(counts)):
        marks.append(other)
    return "".join(sorted(set(marks)))


def is_mixed(counts: Tally) -> bool:
    """Return whether the column has many decimal points and many decimal commas."""
    return min(counts.decimals["."], counts.decimals[","]) > SLIPS * counts.decimals.total()
