"""Infer the notation of a column once from its cells."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._notation.conventions import Conventions
from sensorium.table._notation.notation import Notation, Percent
from sensorium.table._notation.read import read_texts
from sensorium.table._notation.tally import Tally, tally
from sensorium.table._notation.words import currency_of

FRACTIONS = 0.5  # share of the cells without % that lie in 0–1, above which 5% is read as 0.05
ROOM = 2.0
ONE_CURRENCY = 0.99  # share of the commonest currency from which others are slips
SLIPS = 0.02  # share of cells up to which another notation is a slip
MINORITY = 0.3  # share of ranges up to which they are measured values among others
FEW_WORDS, MANY_NUMBERS = 5, 20  # this few different words among this many different numbers mark missing values
MOST_GAPS = 0.4  # … and so few of the cells
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


@dataclass(frozen=True)
class Survey:
    """Notation of a column, counts of its cells, and the ambiguous mark that is read by default.

    The mark is empty if nothing is ambiguous.
    """

    notation: Notation
    counts: Tally
    guessed: str = ""


def survey(texts: pa.Array, known: Conventions) -> Survey:
    """Count the cells of a text column and infer its notation."""
    counts = tally(texts)
    decimal, guessed = _decimal(counts, known)
    multiplied = bool(counts.suffixes) and not counts.clashing and not counts.letters
    notation = Notation(
        decimal=decimal,
        thousands=_thousands(counts, known, decimal),
        currency=_currency(counts, known),
        suffixes=multiplied or counts.letters == "bytes",
        always_suffixed=multiplied and not counts.unsuffixed,
        letters=counts.letters,
        limits=known.censored if counts.limits else "",
        mixed=is_mixed(counts) and not known.decimal,
        missing=_gaps(counts, known),
        units=counts.unit,
    )
    notation = replace(notation, thousandths=_thousandths(texts, notation))
    notation = replace(notation, percent=_percent(texts, counts, notation))
    notation = replace(notation, largest_fraction=_largest_fraction(counts, notation))
    return Survey(replace(notation, ranges=_ranges(texts, counts, notation)), counts, guessed)


def _thousandths(texts: pa.Array, notation: Notation) -> bool:
    """Return whether a cell may have three decimals: some have a number other than two, as money has, or none.

    This matters if commas and points are marks of numbers.
    """
    if notation.decimal == "." and "," not in notation.thousands:
        return True
    mark = re.escape(notation.decimal)
    shown = pc.match_substring_regex(texts, rf"{mark}([0-9]|[0-9]{{3,}})([^0-9]|$)")
    return bool(pc.any(shown).as_py())


def _decimal(counts: Tally, known: Conventions) -> tuple[str, str]:
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


def _thousands(counts: Tally, known: Conventions, decimal: str) -> str:
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


def _currency(counts: Tally, known: Conventions) -> str:
    return (
        currency_of(known.currency)
        if known.currency
        else (counts.currencies.most_common(1)[0][0] if counts.currencies else "")
    )


def _gaps(counts: Tally, known: Conventions) -> tuple[str, ...]:
    words = Counter[str](counts.gaps)
    if stands_for_gaps(counts):
        words += counts.words
    return tuple(sorted({*(word.casefold() for word in words), *(word.strip().casefold() for word in known.missing)}))


def stands_for_gaps(counts: Tally) -> bool:
    """Return whether the column has so few words, and so many numbers, that the words must mark missing values."""
    few = 0 < len(counts.words) <= FEW_WORDS and counts.words.total() > len(counts.words)
    return (
        few
        and counts.distinct > MANY_NUMBERS
        and counts.words.total() <= MOST_GAPS * counts.cells
        and not any(map(_has_digit, counts.words))
    )


def _has_digit(text: str) -> bool:
    return any(sign.isdecimal() for sign in text)


def _percent(texts: pa.Array, counts: Tally, notation: Notation) -> Percent:
    signed = counts.percents.total()
    rest = counts.numbers - signed
    if not signed or not rest:
        return "all" if signed else "none"
    values = read_texts(texts, notation).values  # those with a % are missing here
    values = values[np.isfinite(values)]
    if len(values) and (np.abs(values) <= 1).mean() > FRACTIONS:
        return "fraction"
    return "all" if signed >= rest else "none"


def _largest_fraction(counts: Tally, notation: Notation) -> float:
    """Return the limit of fractions among cells without %: 1, or twice the largest cell with % if that is above 100%.
    than 100%.
    """
    if notation.percent != "fraction":
        return 1.0
    largest = float(np.nanmax(np.abs([notation.read(text).value for text in counts.percents]), initial=0))
    return ROOM * largest if largest > 1 else 1.0


def _ranges(texts: pa.Array, counts: Tally, notation: Notation) -> bool:
    """Return whether pairs of numbers are measured ranges: few, increasing, and within the values of other cells."""
    if not counts.joined or counts.joined.total() > MINORITY * counts.cells:
        return False
    values = read_texts(texts, notation).values
    values = values[np.isfinite(values)]
    if not len(values):
        return False
    room = 0.5 * max(values.max() - values.min(), abs(values.max()))
    ends = [notation.ends(text) for text in counts.joined]
    return all(pair and values.min() - room <= pair[0] < pair[1] <= values.max() + room for pair in ends)
