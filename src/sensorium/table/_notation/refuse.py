"""Detect columns of digits that are not amounts: codes, phone numbers, scores, several currencies."""

from __future__ import annotations

import re
from itertools import pairwise

import pyarrow as pa

from sensorium.config import as_modality, set_value
from sensorium.table._dates import read_dates
from sensorium.table._notation.infer import MINORITY, ONE_CURRENCY, Survey
from sensorium.table._notation.notation import Notation
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
MOST_BINS = 50  # different ones
SIDE = re.compile(r"[+-]?[0-9][0-9.,' ]* ?[SH]")
PHONE_DIGITS = 9  # digits, in groups and as many in every cell, of a telephone number
PHONE = re.compile(r"phone|mobile|(^|[^a-z])(tel|fax|telefon|handy|gsm)([^a-z]|$)", re.IGNORECASE)


def refusal(found: Survey, name: str, *, any_currency: bool) -> str:
    """Return why a column is not numbers although most cells could be read as numbers; empty if it may be.

    Args:
        found: counts of its cells.
        name: the column's name.
        any_currency: whether the settings name no currency.
    """
    counts = found.counts
    if several := _several(counts, any_currency=any_currency):
        return several
    if joined := _joined(found):
        kind = "contain two numbers (a score, a range, a phone number, a code?) and are not read as one"
        return f"cells such as {joined!r} {kind}; a separate column for each keeps them as numbers"
    example = (_code(counts) or _phone(counts, name)) if counts.numbers > MOSTLY * counts.cells else ""
    kind = f"look like codes and are not read as numbers; {as_modality(name, 'number')} reads them as numbers"
    return f"cells such as {example!r} {kind}" if example else _united(counts)


def mixed_amounts(found: Survey, *, any_currency: bool) -> str:
    """Return the reason if the cells are amounts in several currencies or units; empty otherwise."""
    return _several(found.counts, any_currency=any_currency) or _united(found.counts)


def _several(counts: Tally, *, any_currency: bool) -> str:
    if any_currency and _mixed(counts):
        some = " and ".join(repr(counts.examples[code]) for code, _ in counts.currencies.most_common(2))
        found_in = f"cells are in {len(counts.currencies)} currencies, such as {some}, and are not read as numbers"
        main = counts.currencies.most_common(1)[0][0]
        return f"{found_in}; {set_value('table.currency', main)} reads those in {main} and treats the others as missing"
    if two := _units(counts):
        kind = "have units of several kinds and are not read as numbers"
        return f"cells such as {two[0]!r} and {two[1]!r} {kind}; write them all in one unit"
    if _enough(counts.clashing.total(), counts.cells):
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
        if len(there) > 1 and cells > MOSTLY * counts.cells and _enough(counts.units[there[1]], counts.cells):
            return counts.examples[f"unit {there[0]}"], counts.examples[f"unit {there[1]}"]
    return None


def _sides(counts: Tally) -> tuple[str, str] | None:
    """Return a cell of each kind if most are amounts with S (Soll, debit) or H (Haben, credit)."""
    cells = {text: n for text, n in (counts.codes + counts.words).items() if SIDE.fullmatch(text)}
    of_each = {side: {text: n for text, n in cells.items() if text.endswith(side)} for side in "SH"}
    if sum(cells.values()) <= MOSTLY * counts.cells or not all(
        _enough(sum(own.values()), counts.cells) for own in of_each.values()
    ):
        return None
    return next(iter(of_each["S"])), next(iter(of_each["H"]))


def _united(counts: Tally) -> str:
    """Describe a column in which most cells are numbers with units, but of several units; empty otherwise."""
    usual = counts.united.most_common(MOST_UNITS)
    if sum(cells for _, cells in usual) <= MOSTLY * counts.cells:
        return ""
    some = " and ".join(repr(counts.examples[f"united {unit}"]) for unit, _ in usual[:2])
    several = "several units" if len(usual) > 1 else "a unit, but too many other cells have none"
    return f"cells such as {some} have {several}, and are not read as numbers; write numbers of one unit in every cell"


def are_bins(counts: Tally) -> bool:
    """Return whether the cells are consecutive ranges, such as 18-24, 25-34, 65+, which are a category."""
    ends = sorted({pair for text in counts.joined if (pair := Notation().ends(text))})
    rising = all(low < high for low, high in ends) and all(one[1] <= two[0] for one, two in pairwise(ends))
    return 1 < len(ends) <= MOST_BINS and rising and counts.joined.total() > MINORITY * counts.cells


def _enough(count: int, cells: int) -> bool:
    return count >= max(AT_LEAST, SOME * cells)


def _joined(found: Survey) -> str:
    """Return an example of two numbers in a cell, such as a ZIP+4, a phone number or a score; else empty."""
    counts = found.counts
    if found.notation.ranges or not counts.joined:
        return ""
    if are_bins(counts) or _are_dates(counts):
        return ""
    joined = counts.joined.total()
    digits_only = counts.digits == counts.numbers
    if joined > MINORITY * counts.cells or (digits_only and _enough(joined, counts.cells)):
        return counts.joined.most_common(1)[0][0]
    return ""


def _are_dates(counts: Tally) -> bool:
    """Return whether most of the joined numbers are days of the calendar."""
    cells = [*counts.joined]
    return read_dates(pa.array(cells, pa.string())).count_days() > MOSTLY * len(cells)


def _code(counts: Tally) -> str:
    """Return an example of digits that a number would not keep: leading zeros, too many digits, letters among them."""
    if counts.digits + counts.lots + counts.suffixes.total() != counts.numbers:
        return ""  # signs, decimals or currencies: amounts
    if counts.lots and _enough(counts.lots, counts.cells):
        return counts.examples["lot"]
    if counts.padded and (_enough(counts.padded, counts.cells) or counts.padded == counts.digits):
        return counts.examples["padded"]
    if counts.long > MOSTLY * counts.cells:
        return counts.examples["long"]
    letters = {unit for unit in counts.units if len(unit) == 1} | {text[-1] for text in counts.suffixes}
    codes = counts.codes.total() + (sum(counts.units.values()) if len(letters) > 1 else 0)
    if codes and _enough(codes, counts.cells):
        return (counts.codes or counts.words).most_common(1)[0][0]
    return ""


def _phone(counts: Tally, name: str) -> str:
    grouped = sum(counts.lengths.values()) - counts.lengths[0]
    alike = len(+counts.lengths) == 1 and next(iter(+counts.lengths)) >= PHONE_DIGITS and grouped == counts.numbers
    called = bool(PHONE.search(name)) and grouped > MOSTLY * counts.cells
    return counts.examples["group"] if grouped and (alike or called) else ""
