"""Notation of numbers: decimal and thousands marks, currencies, percent, limits, words for missing cells."""

from sensorium.table._notation.conventions import Conventions, some_texts
from sensorium.table._notation.gaps import stands_for_gaps
from sensorium.table._notation.infer import Survey, survey
from sensorium.table._notation.looks import (
    has_limits,
    is_clearly_numbers,
    may_be_numbers,
    same_but_for_zeros,
    spelt_plainly,
)
from sensorium.table._notation.mixtures import mixed_amounts
from sensorium.table._notation.notation import LEGACY, NAMES, Notation, Note, Reading, SavedNotation
from sensorium.table._notation.read import Readings, read_texts, readings_of_signs, with_point
from sensorium.table._notation.refuse import refusal
from sensorium.table._notation.tally import Tally
from sensorium.table._notation.words import USUAL_SPELLINGS, currency_of, is_gap

__all__ = [
    "LEGACY",
    "NAMES",
    "USUAL_SPELLINGS",
    "Conventions",
    "Notation",
    "Note",
    "Reading",
    "Readings",
    "SavedNotation",
    "Survey",
    "Tally",
    "currency_of",
    "has_limits",
    "is_clearly_numbers",
    "is_gap",
    "may_be_numbers",
    "mixed_amounts",
    "read_texts",
    "readings_of_signs",
    "refusal",
    "same_but_for_zeros",
    "some_texts",
    "spelt_plainly",
    "stands_for_gaps",
    "survey",
    "with_point",
]
