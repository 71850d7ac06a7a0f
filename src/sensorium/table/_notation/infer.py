"""Infer the notation of a column once from its cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sensorium.table._notation.conventions import Conventions
from sensorium.table._notation.gaps import gap_words
from sensorium.table._notation.marks import decimal_mark, is_mixed, thousands_marks, thousandths
from sensorium.table._notation.notation import Notation
from sensorium.table._notation.percents import largest_fraction, percent_meaning
from sensorium.table._notation.read import read_texts
from sensorium.table._notation.tally import Tally, tally
from sensorium.table._notation.words import currency_of

ONE_CURRENCY = 0.99  # share of the commonest currency from which others are slips
MINORITY = 0.3  # share of ranges up to which they are measured values among others


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
    decimal, guessed = decimal_mark(counts, known)
    multiplied = bool(counts.suffixes) and not counts.clashing and not counts.letters
    notation = Notation(
        decimal=decimal,
        thousands=thousands_marks(counts, known, decimal),
        currency=_currency(counts, known),
        suffixes=multiplied or counts.letters == "bytes",
        always_suffixed=multiplied and not counts.unsuffixed,
        letters=counts.letters,
        limits=known.censored if counts.limits else "",
        mixed=is_mixed(counts) and not known.decimal,
        missing=gap_words(counts, known),
        units=counts.unit,
    )
    notation = replace(notation, thousandths=thousandths(texts, notation))
    notation = replace(notation, percent=percent_meaning(texts, counts, notation))
    notation = replace(notation, largest_fraction=largest_fraction(counts, notation))
    return Survey(replace(notation, ranges=_ranges(texts, counts, notation)), counts, guessed)


def _currency(counts: Tally, known: Conventions) -> str:
    if known.currency:
        return currency_of(known.currency)
    return counts.currencies.most_common(1)[0][0] if counts.currencies else ""


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
