"""Infer the meaning of letters after the numbers of a column: powers of ten, bytes, credit and debit, or no number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.table._arrays import evenly_spaced
from sensorium.table._notation.cell import LONGEST, Cell, parse
from sensorium.table._notation.words import fold

Letters: TypeAlias = Literal["", "bytes", "sides", "none"]

LETTERED = re.compile(r"(?P<number>.*[0-9][.,)]?) ?(?P<letters>[A-Za-z]{1,5})\.?")
SIDE = re.compile(r"(?P<number>.*[0-9.,)]) ?(?P<side>[cd]r)\.?", re.IGNORECASE)
SIZE = re.compile(r"(?P<number>.*[0-9][.,]?) ?(?P<prefix>[kmgt]?)(?P<byte>i?b|bytes?)?", re.IGNORECASE)
NO_POWER = re.compile(r"(?P<number>.*[0-9][.,]?) ?(?:[kmb]|cr)\.?", re.IGNORECASE)
POWERS = {"": "", "k": "k", "m": "M", "g": "bn", "t": "tn"}
BYTES, OF_BYTES = {"b", "byte", "bytes"}, {"g", *(f"{sign}{end}" for sign in "kmgt" for end in ("b", "ib"))}
MULTIPLIED = ("k", "m", "b", "cr")
INDIAN = re.compile(r".*[0-9],[0-9]{2},[0-9]{3}(?![0-9]).*")
LAKHS, RUPEES = {"lakh", "lakhs", "lac", "lacs"}, "INR"
LEAST = 2  # cells with a mark
SIZES = 100.0  # a larger median means bytes; so many billions are rare
LARGER = {"t", "tn", "bn"}  # beside which B is a billion
ALIKE, APART = 10.0, 100.0  # how many times as large numbers are that are of one size, and of two
CENTS = 2  # decimals of amounts
MOSTLY = 0.5
SAMPLED = 1000  # plain numbers that are looked at


@dataclass(frozen=True)
class _Numbers:
    """Numbers with the same suffix, or none: values without the suffix, and counts of cells."""

    cells: list[Cell]
    times: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.float64]:
        return np.array([_value(cell) for cell in self.cells])

    @property
    def total(self) -> int:
        return int(self.times.sum())

    @property
    def have_cents(self) -> bool:
        return float(np.mean([len((cell.decimal or "").partition(".")[2]) == CENTS for cell in self.cells])) > MOSTLY


def spelt_out(text: str, letters: Letters) -> str:
    """Rewrite a cell with the meaning of the column's letters, in the notation of other columns."""
    if not letters or len(text) > LONGEST:
        return text
    folded = fold(text)
    if letters == "sides" and (found := SIDE.fullmatch(folded)):
        # Some write the sign beside the letter, too.
        return found["number"] if found["side"].casefold() == "cr" else f"-{found['number'].lstrip('-−+ ')}"
    if letters == "bytes" and (found := SIZE.fullmatch(folded)) and (found["prefix"] or found["byte"]):
        return f"{found['number']}{POWERS[found['prefix'].casefold()]}"
    if letters == "none" and (found := NO_POWER.fullmatch(folded)):
        return found["number"]
    return text


def letters_of(counted: Sequence[tuple[str, int]], plain: pa.Array) -> Letters:
    """Return the meaning of the letters after a column's numbers.

    Args:
        counted: cells that are not plain numbers, with their counts.
        plain: plain cells.
    """
    found = _by_letters(counted)
    if not found.keys() & {*BYTES, *MULTIPLIED, "dr"}:
        return ""
    bare = _bare(found.pop("", None), plain)
    if _are_sides(found, bare, [text for text, _ in counted]):
        return "sides"
    if any(cell.currency for numbers in found.values() for cell in numbers.cells):
        return ""
    if _are_bytes(found):
        return "bytes"
    return "none" if _multiply_nothing(found, bare) else ""


def _by_letters(counted: Sequence[tuple[str, int]]) -> dict[str, _Numbers]:
    """Return lower-case letters → the numbers before them; empty letters for other numbers."""
    there = defaultdict[str, list[tuple[Cell, int]]](list)
    for text, times in counted:
        found = LETTERED.fullmatch(fold(text)) if len(text) <= LONGEST else None
        if cell := parse(found["number"] if found else text):
            there[found["letters"].casefold() if found else ""].append((cell, times))
    return {
        letters: _Numbers([cell for cell, _ in cells], np.array([times for _, times in cells], np.int64))
        for letters, cells in there.items()
    }


def _bare(odd: _Numbers | None, plain: pa.Array) -> _Numbers:
    """Return numbers other than 0 without letters."""
    rows = evenly_spaced(len(plain), SAMPLED)
    texts = plain.take(pa.array(rows)).to_pylist()
    cells = [cell for text in texts if (cell := parse(text)) and _value(cell)]
    times = [len(plain) / max(1, len(texts))] * len(cells)
    for cell, number in zip(odd.cells if odd else [], odd.times if odd else [], strict=True):
        if _value(cell):
            cells.append(cell)
            times.append(float(number))
    return _Numbers(cells, np.round(times).astype(np.int64))


def _value(cell: Cell) -> float:
    return float(cell.decimal or cell.grouped or 0)


def _are_sides(found: dict[str, _Numbers], bare: _Numbers, texts: list[str]) -> bool:
    """Return whether CR and DR mean credit and debit. CR alone may be crore: ten million."""
    if "dr" in found:
        return found["dr"].total >= LEAST
    credit = found.get("cr")
    if credit is None or not bare.cells or LAKHS & found.keys() or any(map(INDIAN.fullmatch, texts)):
        return False
    rupees = any(cell.currency == RUPEES for cell in [*credit.cells, *bare.cells])
    return not rupees and credit.have_cents and _are_alike(credit, bare, APART)


def _are_bytes(found: dict[str, _Numbers]) -> bool:
    """Return whether B means byte, not billion: cells have KB or G, or cells have K and numbers with B are large."""
    number = next((found[name] for name in sorted(BYTES) if name in found), None)
    if number is None or OF_BYTES & found.keys():
        return number is not None
    return "k" in found and not found.keys() & LARGER and float(np.median(number.sizes)) >= SIZES


def _multiply_nothing(found: dict[str, _Numbers], bare: _Numbers) -> bool:
    """Return whether the few numbers with a suffix fit the others if it is ignored, and are far larger if not."""
    marked = {letters: found[letters] for letters in MULTIPLIED if letters in found}
    if not marked or not bare.cells or 2 * sum(numbers.total for numbers in marked.values()) > bare.total:
        return False
    largest, powers = float(bare.sizes.max()), {"k": 1e3, "m": 1e6, "b": 1e9, "cr": 1e7}
    return all(
        _are_alike(numbers, bare, ALIKE) and numbers.sizes.min() * powers[letters] > APART * largest
        for letters, numbers in marked.items()
    )


def _are_alike(some: _Numbers, others: _Numbers, times: float) -> bool:
    one, two = (max(float(np.median(numbers.sizes)), 1e-300) for numbers in (some, others))
    return one <= times * two and two <= times * one
