"""Count the cells of a column of text: numbers by their marks and signs, words, codes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._arrays import evenly_spaced
from sensorium.table._notation.cell import Cell, infinite, parse, parse_range
from sensorium.table._notation.letters import Letters, letters_of, spelt_out
from sensorium.table._notation.read import PLAIN
from sensorium.table._notation.units import column_units, split_unit, without_unit
from sensorium.table._notation.words import GAPS, fold, is_usual_gap

MOST = 20_000  # different odd cells that are looked at one by one; of more, as many evenly spaced
DOUBTFUL = r"^\s*[+-]?[1-9][0-9]{0,2}\.[0-9]{3}\s*$"  # a point that may part thousands
PADDED = r"^\s*[+-]?0[0-9]+\s*$"
LONG = r"^\s*[+-]?[0-9]{16,}\s*$"
LOT = r"^\s*[0-9]+E[0-9]+\s*$"  # software that writes numbers puts a sign or a point into it: 1E+10, 1.0E10
SMALL = r"^\s*[+-]?[0-9]{1,3}\s*$"
AFTER = re.compile(r".*[0-9] ?")  # what a suffix stands behind
ZERO = r"^\s*[+-]?(0+\.?0*|\.0+)\s*$"
EXAMPLES = 3  # plain cells that are kept to be quoted
DIGITS = r"^\s*[0-9]+\s*$"
CODE = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9 ./_#-]*")
UNIT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)? ?([A-Za-zµ°]+[23]?)")  # or a code
DASHED = re.compile(r"\+?\(?[0-9][0-9 ().]*(?:[-/–][0-9 ().]*)+[0-9)]?")
DIALLED = re.compile(r"(?:\+[0-9]|\([0-9]+\) ?[0-9])[0-9 ()./-]{5,}")  # +49 171 1234567, (030) 123456


@dataclass
class Tally:
    """Counts of cells; each counter has the cells' texts or marks as its keys.

    Attributes:
        odd: numbers that are not plain.
        distinct: different plain and odd cells.
        plain, padded, long, lots, small, digits: `plain` counts cells of digits and a point; of these, `padded` have
            leading zeros, `long` have sixteen digits or more, `lots` are written like 1E10, `small` have up to three
            digits, `digits` have only digits.
        decimals, groups: marks that are unambiguously decimal or thousands marks.
        doubtful: marks that may be decimal or thousands marks.
        currencies, percents, brackets, limits, suffixes: numbers with these signs.
        zeros: cells of the value 0 without a suffix.
        letters: meaning of the letters after the numbers (`letters_of`).
        marks: letters and words after the numbers → the first cell with each.
        bare: odd numbers without a suffix, and some plain ones.
        joined: two numbers in one cell, such as 91-92 or 12345-6789.
        unit: spellings of the column's unit; the cells are counted without it.
        units: cells that end in letters that are not the column's unit.
        united: numbers with another unit than that of the column.
        codes, words: other cells: letters with digits, and other text that is not a number.
        gaps, usual: words for a missing value.
        lengths: counts of digits in cells whose groups are separated by blanks or points.
    """

    plain: int = 0
    padded: int = 0
    long: int = 0
    lots: int = 0
    small: int = 0
    digits: int = 0
    zeros: int = 0
    odd: int = 0
    distinct: int = 0
    decimals: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    doubtful: Counter[str] = field(default_factory=Counter)
    currencies: Counter[str] = field(default_factory=Counter)
    percents: Counter[str] = field(default_factory=Counter)
    brackets: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    suffixes: Counter[str] = field(default_factory=Counter)
    bare: Counter[str] = field(default_factory=Counter)
    joined: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    unit: tuple[str, ...] = ()
    units: Counter[str] = field(default_factory=Counter)
    united: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    usual: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    letters: Letters = ""
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> int:
        return self.plain + self.odd

    @property
    def unsuffixed(self) -> int:
        """Return numbers other than 0 that have no suffix."""
        return self.numbers - self.suffixes.total() - self.zeros

    @property
    def clashing(self) -> Counter[str]:
        """Return cells whose suffix differs from the column's unit only in case: 7 M beside 5 m is not 7 million."""
        units = {unit.casefold() for unit in self.unit}
        return Counter({text: n for text, n in self.suffixes.items() if AFTER.sub("", text).casefold() in units})

    @property
    def others(self) -> Counter[str]:
        """Return cells that are neither numbers nor words for a missing value."""
        return self.joined + self.codes + self.words

    @property
    def cells(self) -> int:
        return self.numbers + self.others.total()


def tally(texts: pa.Array) -> Tally:
    """Count the cells of a column of text."""
    texts = texts.drop_null()
    found = Tally()
    plain = pc.match_substring_regex(texts, PLAIN)
    plainly = texts.filter(plain)
    _count_plain(plainly, found)
    counted = texts.filter(pc.invert(plain)).value_counts()
    odd, times = counted.field(0), np.asarray(counted.field(1), np.int64)
    if len(odd) > MOST:
        rows = evenly_spaced(len(odd), MOST)
        odd, times = odd.take(pa.array(rows)), times[rows] * round(len(odd) / MOST)
    cells = list(zip(odd.to_pylist(), times.tolist(), strict=True))
    found.letters = letters_of(cells, plainly)
    worded = (cell for cell in cells if not is_usual_gap(cell[0]))
    found.unit = () if found.letters else column_units(worded, found.plain)
    for text, count in cells:
        _count_odd(without_unit(text, found.unit), count, found)
    return found


def _count_plain(texts: pa.Array, found: Tally) -> None:
    def matching(pattern: str) -> int:
        return int(pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0)

    found.plain, found.distinct = len(texts), int(pc.count_distinct(texts).as_py())
    if not len(texts):
        return
    zero = pc.match_substring_regex(texts, ZERO)
    found.zeros = int(pc.sum(zero).as_py())
    found.bare.update(text.strip() for text in texts.filter(pc.invert(zero))[:EXAMPLES].to_pylist())
    pointed, doubtful = int(pc.sum(pc.match_substring(texts, ".")).as_py() or 0), 0
    if pointed:
        doubtful = matching(DOUBTFUL)
        found.doubtful["."], found.decimals["."] = doubtful, pointed - doubtful
        if doubtful:
            found.examples["."] = _first(texts, DOUBTFUL)
    found.digits = matching(DIGITS) if pointed < len(texts) else 0
    if found.digits:
        found.padded, found.long, found.small = matching(PADDED), matching(LONG), matching(SMALL)
        found.examples |= {"padded": _first(texts, PADDED)} if found.padded else {}
        found.examples |= {"long": _first(texts, LONG)} if found.long else {}
    if found.digits + pointed < len(texts):
        found.lots = matching(LOT)
        found.examples |= {"lot": _first(texts, LOT)} if found.lots else {}


def _first(texts: pa.Array, pattern: str) -> str:
    place = pc.index(pc.match_substring_regex(texts, pattern), True).as_py()
    return str(texts[place].as_py()).strip()


def _count_odd(text: str, count: int, found: Tally) -> None:
    word = text.strip()
    if is_usual_gap(word):
        found.usual[word] += count
    elif word.casefold() in GAPS:
        found.gaps[word] += count
    elif cell := parse(spelt_out(word, found.letters)):
        _count_number(word, cell, count, found)
    elif infinite(word) is not None:
        found.odd += count
    elif parse_range(word) or DASHED.fullmatch(fold(word)) or DIALLED.fullmatch(fold(word)):
        found.joined[word] += count
    elif unit := UNIT.fullmatch(word):
        found.units[unit[1]] += count
        found.examples.setdefault(f"unit {unit[1]}", word)
        found.words[word] += count
    else:
        (found.codes if CODE.fullmatch(word) else found.words)[word] += count
    if (found.codes[word] or found.words[word]) and (parts := split_unit(word)):
        found.united[parts[1]] += count
        found.examples.setdefault(f"united {parts[1]}", word)


def _count_number(text: str, cell: Cell, count: int, found: Tally) -> None:
    found.odd, found.distinct = found.odd + count, found.distinct + 1
    suffixed = cell.suffixed or spelt_out(text, found.letters) != text
    zero = not suffixed and not (cell.decimal or cell.grouped or "").strip("0.")
    found.zeros += count if zero else 0
    if suffixed:
        found.marks.setdefault(AFTER.sub("", text).casefold(), text)
    if cell.is_ambiguous:
        found.doubtful[cell.mark] += count
        found.examples.setdefault(cell.mark, text)
    else:
        if cell.mark in (".", ","):
            found.decimals[cell.mark] += count
        if cell.groups:
            found.groups[cell.groups] += count
            found.examples.setdefault("group", text)
            found.lengths[len((cell.grouped or "").lstrip("0")) if cell.groups in " ." else 0] += count
    for counter, there in (
        (found.percents, cell.percent),
        (found.brackets, cell.brackets),
        (found.limits, cell.limit != 0),
        (found.suffixes, suffixed),
        (found.bare, not suffixed and not zero),
    ):
        if there:
            counter[text] += count
    if cell.currency:
        found.currencies[cell.currency] += count
        found.examples.setdefault(cell.currency, text)
