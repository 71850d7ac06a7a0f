"""Lists of numbers in text: in brackets, or with a separator only, such as "0.1;0.2;0.3". One notation per column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.findings import Unreadable
from sensorium.table._list_notation import BRACKETS, GAPS, NOTATIONS, ListNotation
from sensorium.table._spelt import is_gap_word, spells_lists

BEGINS = re.compile(r"\s*(?:[\[({\d+.|;,-]|[\w.]+\s*\(\s*[\[(]|nan|null|none|n/?a)", re.IGNORECASE)
GROUPED = re.compile(r"[+-]?\d{1,3}(?:[ ,]\d{3})+(?:\.\d*)?")  # 1 234 567 is one number
PADDED = re.compile(r"[+-]?0\d+")  # so are codes and phone numbers written, not measured numbers
MOSTLY = 0.9  # share of the cells that must be of the notation
FEWEST = 3  # numbers of a cell: two may be a decimal comma, a range, a name of two parts
MANY = 8  # whole numbers between blanks from which they are not a phone number or a code in groups
REPEATS, ONCE = 0.5, 0.95  # codes come again in other cells, and not twice in one


def likely_list_notation(texts: Sequence[str]) -> ListNotation:
    """Return the notation that can read most of the cells; lists in brackets if there is none."""
    if spells_lists(pa.array(texts, pa.string())).sum() * 2 >= len(texts):
        return BRACKETS
    return max((BRACKETS, *NOTATIONS), key=lambda notation: len(_lists(notation, texts)))


def find_list_notation(texts: Sequence[str]) -> ListNotation | None:
    """Return the notation of a column that lists numbers in nine of ten cells; None if it may be anything else.

    Lists in brackets are unambiguous. Without brackets, phone numbers, dates, codes, thousands marks, decimal commas,
    sets of codes and sentences look similar, and are not claimed.
    """
    nothing = {text for text in set(texts) if lists_nothing(text)}
    texts = [text for text in texts if text not in nothing]
    if not texts or sum(BEGINS.match(text) is not None for text in texts) < MOSTLY * len(texts):
        return None
    notation = likely_list_notation(texts)
    if len(_lists(notation, texts)) < MOSTLY * len(texts):
        return None
    return notation if not notation.separator or _is_measured(notation, texts) else None


def lists_nothing(text: str) -> bool:
    """Return whether the cell is an empty list or a word for a missing cell, which fit any notation."""
    return is_gap_word(text.strip("[](){} \t\n"))


def _lists(notation: ListNotation, texts: Sequence[str]) -> list[list[Any]]:
    """Return the numbers of the cells that are lists in this notation."""
    found = []
    brackets = spells_lists(pa.array(texts, pa.string()))
    for text, opens in zip(texts, brackets, strict=True):
        try:
            cell = notation.read(text, shortened=True) if opens or notation.separator else []
        except Unreadable:
            continue
        if not cell:
            continue
        if notation.separator and (len(cell) < 2 or 2 * sum(number is not None for number in cell) < len(cell)):
            continue
        found.append(cell)
    if notation.decimal == "," and not any("," in part for text in texts for part in notation.parts(text)):
        return []
    return found


def _is_measured(notation: ListNotation, texts: Sequence[str]) -> bool:
    cells = [notation.parts(text) for text in texts]
    numbers = [part for part in chain.from_iterable(cells) if part]
    usual = float(np.median([len(cell) for cell in cells]))
    whole = all(re.fullmatch(r"[+-]?\d+", part) or part.lower() in GAPS for part in numbers)
    if sum(PADDED.fullmatch(part) is not None for part in numbers) > (1 - MOSTLY) * len(numbers):
        return False
    if notation.separator in ", " and sum(bool(GROUPED.fullmatch(text.strip())) for text in texts) * 2 > len(texts):
        return False
    if not whole:
        return usual >= (2 if notation.separator in ";|\t" else FEWEST)
    return usual >= (MANY if notation.separator == " " else FEWEST) and not are_codes(cells)


def are_codes(cells: Sequence[Sequence[str]]) -> bool:
    """Return whether the cells are sets of codes, such as 28|12|878: unique within a cell, recurring in many cells."""
    sets = [cell for cell in cells if cell]
    total, different = sum(map(len, sets)), len(set(chain.from_iterable(sets)))
    once = float(np.mean([len(set(cell)) == len(cell) for cell in sets])) if sets else 0.0
    return len(set(map(len, sets))) > 1 and once >= ONCE and different <= REPEATS * total
