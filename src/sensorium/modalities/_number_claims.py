"""Recognize columns of numbers, as numbers or as text."""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc

from sensorium.config import as_modality
from sensorium.findings import Guess
from sensorium.modalities._column_names import name_words
from sensorium.modalities._number_cures import APART, keeps_cells
from sensorium.modalities._number_words import in_words
from sensorium.modalities._numbers import LARGEST_EXACT, survey_column
from sensorium.table import (
    Column,
    Survey,
    is_clearly_numbers,
    refusal,
    same_but_for_zeros,
    stands_for_gaps,
    words,
)

MOST_LIMITS = 0.6  # largest share of limits among the numbers of a number column
MOST_OTHERS = 0.4  # largest share of other cells in a number column
MOST_WITHOUT_UNIT = 0.25  # the same, if the numbers have a unit
FEW = 50  # distinct values up to which two spellings of one number are searched for
SPELT = "numbers as text"
IDENTIFIER_WORDS = words("id code zip zipcode postcode sku uid")


def claim_numbers(column: Column) -> Guess:
    kind = "whole numbers" if column.is_integer else "numbers"
    values = column.values.filter(pc.is_finite(column.values))
    low, high = pc.min_max(values).as_py().values() if len(values) else (0, 0)
    reason = f"{kind} from {low:.6g} to {high:.6g}"
    if column.is_integer and (name_words(column.name) & IDENTIFIER_WORDS or max(-low, high) > LARGEST_EXACT):
        far = max(-low, high) > LARGEST_EXACT  # more digits than float64 represents
        return Guess(0.45 if far else 0.6, f"{reason}, but they may be identifiers")
    return Guess(0.9 if column.distinct > 2 else 0.7, reason)


def claim_text(column: Column, found: Survey) -> Guess | None:
    counts = found.counts
    codes = refusal(found, column.name, any_currency=column.conventions.currency is None)
    if codes:
        return Guess(0.0, "codes, not quantities", codes)
    others = counts.codes + (Counter() if found.notation.ranges else counts.joined)
    others += Counter() if stands_for_gaps(counts) else counts.words
    share = others.total() / max(1, counts.cells)
    bounds = counts.limits.total() > MOST_LIMITS * counts.numbers  # <=50K and >50K are classes
    if counts.unit and share > MOST_WITHOUT_UNIT:
        return _refuse_unit(found, column.name)
    if not counts.numbers or share > MOST_OTHERS or bounds:
        return None
    said = "; ".join(in_words(found, column.name))
    if not others:
        return Guess(0.98 if is_clearly_numbers(counts) else 0.9, f"numbers as text: {said}" if said else SPELT)
    examples = ", ".join(repr(text) for text, _ in others.most_common(3))
    reason = f"{counts.cells - others.total():,} of {counts.cells:,} values are numbers" + (f"; {said}" if said else "")
    caution = f"cells that are not numbers ({examples}) are read as missing; {keeps_cells(column.name)}"
    return Guess(0.9 if counts.unit else 0.9 - share, reason, caution)


def _refuse_unit(found: Survey, name: str) -> Guess:
    cells = f"{found.counts.numbers:,} of {found.counts.cells:,} cells of {name}"
    cure = f"{as_modality(name, 'number')} reads them and reads the others as missing"
    return Guess(0.0, "too few numbers", f"{cells} are numbers with the unit {found.notation.units[0]!r}; {cure}")


def claim_spelt_numbers(column: Column, guess: Guess) -> Guess:
    """Claim decimal numbers stored as text, considering their spelling."""
    assert column.spelling is not None
    if column.distinct <= FEW and (pair := same_but_for_zeros(column.spelling)):
        caution = f"{pair[0]!r} and {pair[1]!r} are the same number; {keeps_cells(column.name)}{APART}"
        return Guess(guess.confidence, guess.reason, caution)
    found = survey_column(column)
    if not found:
        return guess
    if codes := refusal(found, column.name, any_currency=False):
        return Guess(0.0, "codes, not quantities", codes)
    said = "; ".join(in_words(found, column.name))
    return Guess(guess.confidence, f"numbers as text: {said}" if said else guess.reason, guess.caution)
