"""Find the words of a column that stand for a gap."""

from __future__ import annotations

from collections import Counter

from sensorium.table._notation.conventions import Conventions
from sensorium.table._notation.tally import Tally

FEW_WORDS, MANY_NUMBERS = 5, 20  # this few different words among this many different numbers mark missing values
MOST_GAPS = 0.4  # … and so few of the cells


def gap_words(counts: Tally, known: Conventions) -> tuple[str, ...]:
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
