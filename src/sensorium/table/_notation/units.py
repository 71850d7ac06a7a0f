"""Units behind numbers: 8,3 l; 36 months; 41.5 °C; 10+ years."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from sensorium.table._notation.cell import LONGEST, Cell, parse
from sensorium.table._notation.words import SPACES, fold

UNITED = re.compile(r"(?P<number>.*[0-9][+)]?) ?(?P<unit>°? ?[^\W\d_]+\.?(?:[/*·][^\W\d_]+)?[23²³]?|°)")
LETTERS = "gmlLshtdVWKJN"  # units of one letter; others are of codes, such as 12B
NO_UNITS = {"st", "nd", "rd", "th", "er", "ère", "ème", "am", "pm", "e", "x"}  # 3rd, 3e, 10 am, 4x
LOOKED_AT = 200  # cells, before all are looked at
HALF = 0.5  # share of the cells that have the unit
MOSTLY = 0.9  # share of the cells with any unit that have this one
ENDING = 2  # letters by which two forms of a word differ, such as year and years, Tag and Tage
STEM = 3  # letters that they share, at least


def split_unit(text: str) -> tuple[str, str] | None:
    """A number and the unit behind it; None where a cell is no such thing."""
    found = UNITED.fullmatch(fold(text)) if len(text) <= LONGEST else None
    if not found or parse(text) or parse(found["number"]) is None:  # 3万元 and 5k say what they are
        return None
    unit = found["unit"].strip()
    usual = unit.casefold().rstrip(".") not in NO_UNITS and (len(unit) > 1 or unit in LETTERS or unit == "°")
    return (found["number"], unit) if usual else None


def parse_with_unit(text: str) -> Cell | None:
    """What is written in a cell, whatever unit stands behind it; None where it is no number."""
    parts = split_unit(text)
    return parse(parts[0]) if parts else parse(text)


def column_units(counted: Iterable[tuple[str, int]], plain: int) -> tuple[str, ...]:
    """The spellings of the one unit that a column's numbers have; empty where there is none, or several.

    Args:
        counted: cells that are no plain numbers, and how often each occurs.
        plain: how many cells are plain numbers.
    """
    cells = list(counted)
    sample = cells[:: max(1, len(cells) // LOOKED_AT)]
    if sum(split_unit(text) is not None for text, _ in sample) < HALF * len(sample) or not sample:
        return ()
    units = Counter[str]()
    for text, times in cells:
        if parts := split_unit(text):
            units[parts[1]] += times
    if not units:
        return ()
    usual = units.most_common(1)[0][0]
    forms = tuple(sorted((unit for unit in units if _same(unit, usual)), key=len, reverse=True))
    have = sum(units[unit] for unit in forms)
    everything = plain + sum(times for _, times in cells)
    return forms if have >= MOSTLY * units.total() and have >= HALF * everything else ()


def without_unit(text: str, units: tuple[str, ...]) -> str:
    """A cell without the column's unit."""
    return re.sub(unit_pattern(units), r"\1", text, count=1) if units else text


@cache
def unit_pattern(units: tuple[str, ...]) -> str:
    """A regular expression of the unit behind a number, whose first group is the end of the number."""
    spellings = "|".join(re.escape(unit.rstrip(".")) for unit in units)
    return rf"([0-9][+)]?)[{SPACES}]*(?:{spellings})\.?[{SPACES}]*$"


def _same(unit: str, other: str) -> bool:
    """Are both one word, but for its ending or small letters?"""
    if _plain(unit) == _plain(other):
        return True
    short, long = sorted((_plain(unit).casefold(), _plain(other).casefold()), key=len)
    # mW and MW are two, as are m and mm; Month and months are one.
    return len(short) >= STEM and long.startswith(short) and len(long) - len(short) <= ENDING


def _plain(unit: str) -> str:
    return unit.rstrip(".").replace("²", "2").replace("³", "3").replace(" ", "")
