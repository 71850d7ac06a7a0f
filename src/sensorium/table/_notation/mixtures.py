"""Detect columns of amounts in several currencies or units."""

from __future__ import annotations

import re

from sensorium.config import set_value
from sensorium.table._notation.infer import ONE_CURRENCY, Survey
from sensorium.table._notation.tally import Tally

SOME = 0.01  # share of the cells above which codes are not typing errors
AT_LEAST = 2  # cells
MOSTLY = 0.5
QUANTITIES = [  # units that one number is written in or another
    set(units.split())
    for units in (
        "nm µm mm cm dm m km in inch ft yd mi miles",
        "µg mcg mg g kg t lb lbs oz",
        "ml mL cl dl l L",
        "ms s sec min mins h hr hrs hour hours day days week weeks month months year years yr yrs",
        "KB MB GB TB kB Kb Mb Gb kb mb gb tb",
        "K C F °C °F °K",
        "W kW MW GW V kV mV",
    )
]
MOST_UNITS = 3  # that cover most cells: more are words behind a number, such as streets
SIDE = re.compile(r"[+-]?[0-9][0-9.,' ]* ?[SH]")


def mixed_amounts(found: Survey, *, any_currency: bool) -> str:
    """Return the reason if the cells are amounts in several currencies or units; empty otherwise."""
    return several_kinds(found.counts, any_currency=any_currency) or with_units(found.counts)


def several_kinds(counts: Tally, *, any_currency: bool) -> str:
    if any_currency and _mixed(counts):
        some = " and ".join(repr(counts.examples[code]) for code, _ in counts.currencies.most_common(2))
        found_in = f"cells are in {len(counts.currencies)} currencies, such as {some}, and are not read as numbers"
        main = counts.currencies.most_common(1)[0][0]
        return f"{found_in}; {set_value('table.currency', main)} reads those in {main} and treats the others as missing"
    if two := _units(counts):
        kind = "have units of several kinds and are not read as numbers"
        return f"cells such as {two[0]!r} and {two[1]!r} {kind}; write them all in one unit"
    if enough(counts.clashing.total(), counts.cells):
        both = f"cells with {counts.unit[0]!r} and cells such as {next(iter(counts.clashing))!r}"
        return f"{both} have different units and are not read as numbers; write them all in one unit"
    if sides := _sides(counts):
        kind = "have a letter for debit or credit and are not read as numbers; write a sign before each number"
        return f"cells such as {sides[0]!r} and {sides[1]!r} {kind}"
    return ""


def _mixed(counts: Tally) -> bool:
    money = counts.currencies.total()
    return len(counts.currencies) > 1 and counts.currencies.most_common(1)[0][1] < ONE_CURRENCY * money


def _units(counts: Tally) -> tuple[str, str] | None:
    """Return cells in two units of one quantity, such as 7 cm and 11 mm, if most cells have such units."""
    for quantity in QUANTITIES:
        there = [unit for unit, _ in counts.units.most_common() if unit in quantity]
        cells = sum(counts.units[unit] for unit in there)
        if len(there) > 1 and cells > MOSTLY * counts.cells and enough(counts.units[there[1]], counts.cells):
            return counts.examples[f"unit {there[0]}"], counts.examples[f"unit {there[1]}"]
    return None


def _sides(counts: Tally) -> tuple[str, str] | None:
    """Return a cell of each kind if most are amounts with S (Soll, debit) or H (Haben, credit)."""
    cells = {text: n for text, n in (counts.codes + counts.words).items() if SIDE.fullmatch(text)}
    of_each = {side: {text: n for text, n in cells.items() if text.endswith(side)} for side in "SH"}
    if sum(cells.values()) <= MOSTLY * counts.cells or not all(
        enough(sum(own.values()), counts.cells) for own in of_each.values()
    ):
        return None
    return next(iter(of_each["S"])), next(iter(of_each["H"]))


def with_units(counts: Tally) -> str:
    """Describe a column in which most cells are numbers with units, but of several units; empty otherwise."""
    usual = counts.united.most_common(MOST_UNITS)
    if sum(cells for _, cells in usual) <= MOSTLY * counts.cells:
        return ""
    some = " and ".join(repr(counts.examples[f"united {unit}"]) for unit, _ in usual[:2])
    several = "several units" if len(usual) > 1 else "a unit, but too many other cells have none"
    return f"cells such as {some} have {several}, and are not read as numbers; write numbers of one unit in every cell"


def enough(count: int, cells: int) -> bool:
    return count >= max(AT_LEAST, SOME * cells)
