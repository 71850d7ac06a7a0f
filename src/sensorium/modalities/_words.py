"""Cautions about text columns whose cells are probably not text: paths of files, JSON, numbers."""

from __future__ import annotations

import json
import re

import numpy as np

from sensorium.modalities._suffixes import path_caution
from sensorium.table import Column, is_gap_word

LOOKED_AT = 200
MOSTLY = 0.9  # share of the cells
FEWEST = 3  # median numbers per cell
EXPONENT = re.compile(r"(?<=\d)[eE](?=[+-]?\d)|\b(?:nan|None|null|inf)\b")
LETTER = re.compile(r"[^\W\d_]")
DECIMALS = re.compile(r"(?<![\w.:/-])[+-]?\d+[.,]\d+(?:[eE][+-]?\d+)?(?![\w:/]|[.,]\d)")


def word_caution(column: Column) -> str:
    """Warn if the cells are probably not plain text; empty otherwise."""
    if not column.is_string:
        return path_caution(column)
    cells = [cell for cell in column.sample(LOOKED_AT) if not is_gap_word(cell)]
    if not cells:
        return ""
    return path_caution(column) or _json_caution(cells) or _number_caution(cells)


def _json_caution(cells: list[str]) -> str:
    objects = sum(_is_json(cell) for cell in cells)
    if objects < MOSTLY * len(cells):
        return ""
    return (
        "the cells are JSON objects, whose names and values are read as words; convert them to columns, for example "
        "with pandas.json_normalize"
    )


def _is_json(cell: str) -> bool:
    """Return whether a text is a JSON object, or a list of objects."""
    if cell.lstrip()[:1] not in ("{", "["):
        return False
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) or (isinstance(found, list) and any(isinstance(item, dict | list) for item in found))


def _number_caution(cells: list[str]) -> str:
    numbers = [0 if LETTER.search(EXPONENT.sub("", cell)) else len(DECIMALS.findall(cell)) for cell in cells]
    if np.median(numbers) < FEWEST or np.mean([number > 0 for number in numbers]) < MOSTLY:
        return ""
    shortened = "; '...' stands for numbers lost when the table was written" * any("..." in c for c in cells)
    return (
        f"the cells list numbers, which are read as words without signs and decimal points{shortened}; write "
        "all cells as lists in one notation, such as [1.0, 2.5, 3.0]"
    )
