"""What is read as words though it is something else: paths of files, JSON, numbers. A column of text says so."""

from __future__ import annotations

import json
import re

import numpy as np

from sensorium.modalities._suffixes import path_caution
from sensorium.table import Column, is_gap_word

LOOKED_AT = 200
MOSTLY = 0.9  # share of the cells
FEWEST = 3  # numbers of a cell, in the median
EXPONENT = re.compile(r"(?<=\d)[eE](?=[+-]?\d)|\b(?:nan|None|null|inf)\b")
LETTER = re.compile(r"[^\W\d_]")
DECIMALS = re.compile(r"(?<![\w.:/-])[+-]?\d+[.,]\d+(?:[eE][+-]?\d+)?(?![\w:/]|[.,]\d)")


def word_caution(column: Column) -> str:
    """Why the words of a column may not be what its cells mean; empty where they may well be."""
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
        "the cells are JSON objects, whose names and values are read as words; make columns of them, with "
        "pandas.json_normalize for example"
    )


def _is_json(cell: str) -> bool:
    """Is it an object, or a list of objects?"""
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
    shortened = "; '...' stands for numbers that were lost when the table was written" * any("..." in c for c in cells)
    return (
        f"the cells list numbers, which are read as words without their signs and decimal points{shortened}; write "
        "each cell as a list of one notation, [1.0, 2.5, 3.0] for example"
    )
