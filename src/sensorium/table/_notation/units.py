"""Units after numbers: 8,3 l; 36 months; 41.5 °C; 10+ years."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from sensorium.table._notation.cell import LONGEST, Cell, parse
from sensorium.table._notation.words import ANY_SYMBOL, SPACES, currency_of, fold

WORD = r"[^\W\d_]+\.?"
PER = rf" ?[/*·] ?(?:[0-9]{{1,4}} ?)?{WORD}"  # /h, / m, /100km, /100 km
UNITED = re.compile(
    rf"(?P<number>.*?[0-9][+)]?(?:,?[-–—]{{1,2}})?) ?(?P<unit>(?:(?:°? ?{WORD}|{ANY_SYMBOL})(?:{PER})?|{PER})[23²³]?|°)"
)
LETTERS = "gmlLshtdVWKJN"  # units of one letter; others are of codes, such as 12B
NO_UNITS = {"st", "nd", "rd", "th", "er", "ère", "ème", "am", "pm", "e", "x"}  # 3rd, 3e, 10 am, 4x
LOOKED_AT = 200  # cells, before all are looked at
HALF = 0.5  # share of the cells that have the unit
MOSTLY = 0.9  # share of the cells with any unit that have this one
ENDING = 2  # letters by which two forms of a word differ, such as year and years, Tag and Tage
STEM = 3  # letters that they share, at least
# Units of which small and capital letters make two: mW and MW, Mb and MB, ms (seconds) and mS (siemens), nm and Nm.
PREFIXED = re.compile(r"[mp](?:w|wh|wp|va|var|v|a|ah|pa|j|s|n|ev|bq|sv|gy|ohm|ω|mol)(?:[/p*·].*)?")
BITS = re.compile(r"[kmgtp]?i?b(?:ps|/.*)?")
TWOFOLD = {"ms", "ns", "µs", "nm", "kn"}


def split_unit(text: str) -> tuple[str, str] | None:
    """Return the number and the unit in a cell; None if the cell has another form."""
    found = UNITED.fullmatch(fold(text)) if len(text) <= LONGEST else None
    if not found or parse(text) or parse(found["number"]) is None:  # 3万元 and 5k say what they are
        return None
    unit = found["unit"].strip()
    last = unit.lstrip("/*· ")
    usual = last.casefold().rstrip(".") not in NO_UNITS and (len(last) > 1 or last in LETTERS or last == "°")
    return (found["number"], unit) if usual else None


def parse_with_unit(text: str) -> Cell | None:
    """Parse a cell, ignoring any unit after the number; return None if it is not a number."""
    parts = split_unit(text)
    return parse(parts[0]) if parts else parse(text)


def column_units(counted: Iterable[tuple[str, int]], plain: int) -> tuple[str, ...]:
    """Return the spellings of the unit that a column's numbers share; empty if there is none, or several.

    Args:
        counted: cells that are not plain numbers, and how often each occurs.
        plain: number of cells that are plain numbers.
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
    """Return a cell without the column's unit, in any spelling of the unit."""
    if not units:
        return text
    bare = re.sub(unit_pattern(units), r"\1", text, count=1)
    parts = split_unit(text) if bare == text else None
    return parts[0] if parts and any(_same(parts[1], unit) for unit in units) else bare


@cache
def unit_pattern(units: tuple[str, ...]) -> str:
    """Return a regular expression of the unit after a number; its first group is the end of the number."""
    spellings = "|".join(re.escape(unit.rstrip(".")).replace(r"\ ", f"[{SPACES}]") for unit in units)
    return rf"([0-9][+)]?)[{SPACES}]*(?:{spellings})\.?[{SPACES}]*$"


def _same(unit: str, other: str) -> bool:
    """Return whether both are the same word, except for its ending or for case that does not change the meaning."""
    unit, other = _plain(unit), _plain(other)
    if unit == other:
        return True
    short, long = sorted((unit.casefold(), other.casefold()), key=len)
    if short == long:
        return _one_in_any_case(unit, other)
    # m and mm are two; Month and months are one.
    return len(short) >= STEM and long.startswith(short) and long.isalpha() and len(long) - len(short) <= ENDING


def _one_in_any_case(unit: str, other: str) -> bool:
    """Return whether units differ only in case and mean the same: km and KM, but not mW and MW, or g and G."""
    folded = unit.lower()
    if len({len(folded), len(unit), len(other)}) > 1:  # Fuß and FUSS
        return True
    differ = {small for small, one, two in zip(folded, unit, other, strict=True) if one != two}
    if len(folded) == 1 or folded in TWOFOLD or (BITS.fullmatch(folded) and "b" in differ):
        return False
    return unit[0] == other[0] or not PREFIXED.fullmatch(folded)


def _plain(unit: str) -> str:
    plain = unit.replace(".", "").replace("²", "2").replace("³", "3").replace(" ", "")
    money, mark, rest = plain.partition("/")
    return f"{currency_of(money)}/{rest}" if mark and currency_of(money) != money.upper() else plain
