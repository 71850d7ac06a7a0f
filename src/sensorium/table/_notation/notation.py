"""Notation of a column's numbers, and how it reads one cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeAlias

from pydantic import AfterValidator, Field

from sensorium.files.state import from_saved
from sensorium.table._notation.cell import Cell, infinite, parse, parse_range
from sensorium.table._notation.letters import Letters, spelt_out
from sensorium.table._notation.units import split_unit, without_unit
from sensorium.table._notation.words import USUAL

Percent: TypeAlias = Literal["none", "all", "fraction", "written"]

NAMES = {".": "point", ",": "comma", " ": "space", "'": "apostrophe", "٫": "Arabic decimal mark"}
NAN = float("nan")
NOT_A_NUMBER = "not a number: read as missing"
NOT_EXACT = "not an exact number: read as the nearest one"
JOINED = "two numbers in one cell: read as missing"
OTHER_NOTATION = "another decimal or thousands separator than the column's: read in the only way that gives a number"
AS_TRAINED = "write the cell like the training cells"


class Reading(NamedTuple):
    """Value of a cell (NaN if missing), −1 or +1 if it is an upper or a lower limit, and the message for the user."""

    value: float
    limit: int = 0
    reason: str = ""
    cure: str = ""


@dataclass(frozen=True)
class Notation:
    """Notation of a column's numbers; it reads a cell without looking at others.

    Attributes:
        decimal: the decimal mark, "." or ",".
        thousands: marks between groups of three; a space stands for all spaces, ' for all apostrophes.
        percent: `all` cells have a %, and the number before it is read; in a column of `fraction`s 5% is 0.05; `none`
            has any; `written` takes the number before a %, whatever the others are.
        currency: code of the currency; empty if there is none.
        suffixes: k, M, bn … behind a number are powers of ten.
        always_suffixed: every training cell but 0 has such a suffix; a number without one is read as it is, and
            reported.
        ranges: "91-92" is read as 91.5.
        limits: how "<5" is read: as its `limit`, or `missing`; empty if training had none.
        mixed: the column has decimal points and decimal commas: ambiguous cells are missing.
        missing: words that stand for a gap in this column, beside the usual ones, in small letters.
        units: spellings of the unit behind the numbers, which is dropped; a number without it has the same.
        thousandths: cells may have three decimals. If all have two, as amounts of money have, or none, 1,234 may be
            1234 of a table with another notation: it is missing.
        letters: if those behind numbers are not powers of ten, their meaning: `bytes` (B is one, K a thousand),
            `sides` (CR is +, DR is −) or `none` (they are dropped).
        largest_fraction: for a column of fractions: a number without % beyond it is missing.
    """

    decimal: Annotated[str, Field(pattern=r"^[.,]$")] = "."
    thousands: str = ""
    percent: Percent = "none"
    currency: str = ""
    suffixes: bool = False
    ranges: bool = False
    limits: Literal["", "limit", "missing"] = ""
    mixed: bool = False
    missing: tuple[str, ...] = ()
    thousandths: bool = True
    units: tuple[str, ...] = ()
    always_suffixed: bool = False
    letters: Letters = ""
    largest_fraction: Annotated[float, Field(ge=1)] = 1.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"missing": list(self.missing), "units": list(self.units)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Restore a notation from `to_json`; raise ValueError if it is not valid."""
        known = {field.name for field in fields(cls)}
        texts = {key: found.get(key, []) for key in ("missing", "units")}
        if not all(isinstance(words, list) for words in texts.values()):
            raise ValueError("the words of a notation must be a list")
        kept = {key: value for key, value in found.items() if key in known}
        return from_saved(cls, kept | {key: tuple(words) for key, words in texts.items()})

    @property
    def is_plain(self) -> bool:
        """Return whether the notation is digits with a decimal point, which needs no rules."""
        usual = self.decimal == "." and "." not in self.thousands and not self.mixed
        usual = usual and not self.always_suffixed
        return usual and self.percent in ("none", "written") and (self.thousandths or not self.thousands)

    def read(self, text: str) -> Reading:
        """Read a cell."""
        word = text.strip().casefold()
        if word in USUAL or word in self.missing:
            return Reading(NAN)
        text = spelt_out(without_unit(text, self.units), self.letters)
        if cell := parse(text):
            return self._said(cell)
        if ends := self.ends(text):
            rising = self.ranges and ends[0] < ends[1]
            return Reading(sum(ends) / 2, 0, NOT_EXACT) if rising else Reading(NAN, 0, JOINED)
        if (endless := infinite(text)) is not None:
            return Reading(endless)
        if parts := split_unit(text):
            return Reading(NAN, 0, f"the unit {parts[1]!r}, which {self._no_unit}: read as missing", AS_TRAINED)
        return Reading(NAN, 0, NOT_A_NUMBER)

    @property
    def _no_unit(self) -> str:
        return f"is not the column's unit {self.units[0]!r}" if self.units else "the training cells do not have"

    def ends(self, text: str) -> tuple[float, float] | None:
        """Return both numbers of "91-92"; None if a cell is not a range."""
        found = parse_range(text)
        return (self._said(found[0]).value, self._said(found[1]).value) if found else None

    def _said(self, cell: Cell) -> Reading:
        digits, reason = self._digits(cell)
        if digits is None:
            return Reading(NAN, 0, reason, f"write it without a thousands separator; {AS_TRAINED}")
        refused = self._refused(cell)
        if refused:
            return Reading(NAN, 0, f"{refused}: read as missing", READS_LIMITS if refused == LIMIT else AS_TRAINED)
        power = cell.power - (2 if cell.percent and self.percent == "fraction" else 0)
        value = float(f"{digits}e{power}") * (-1 if cell.negative else 1)
        if self.percent == "fraction" and not cell.percent and abs(value) > self.largest_fraction:
            return Reading(NAN, 0, f"{NO_FRACTION}: read as missing", WITH_SIGN)
        if cell.about or (cell.limit and not self.limits):
            reason = NOT_EXACT
        elif cell.currency and not self.currency:
            reason = reason or "a currency, which the training cells do not have: the amount is read"
        if self.always_suffixed and not cell.suffixed and value and not reason:
            return Reading(value, cell.limit, NO_SUFFIX, AS_TRAINED)
        return Reading(value, cell.limit, reason)

    def _digits(self, cell: Cell) -> tuple[str | None, str]:
        """Return digits with a decimal point, and whether they are written differently from the column's others."""
        if cell.is_ambiguous:
            if cell.mark == self.decimal and not self.mixed and self.thousandths:
                return cell.decimal, ""
            if cell.groups in self.thousands and not self.mixed:
                return cell.grouped, ""
            name = NAMES[cell.mark]
            return None, f"the {name} may be a decimal or a thousands separator: read as missing"
        usual = cell.mark in ("", self.decimal, "٫") and (not cell.groups or cell.groups in self.thousands)
        return cell.decimal or cell.grouped, "" if usual else OTHER_NOTATION

    def _refused(self, cell: Cell) -> str:
        """Return why a number cannot belong to this column; empty if it can."""
        if cell.currency and self.currency and cell.currency != self.currency:
            return f"an amount in another currency than {self.currency}"
        if cell.percent and self.percent == "none":
            return "a %, which the other cells do not have"
        if not cell.percent and self.percent == "all":
            return NO_SIGN
        if cell.suffixed and not self.suffixes:
            return "a letter or word behind the number that does not occur in training"
        return LIMIT if cell.limit and self.limits == "missing" else ""


NO_SUFFIX = "a number without a suffix such as k or M, which all training cells have: read as it is"
LIMIT = "a limit, not a value"
READS_LIMITS = "table.censored=missing asks for this; fit with table.censored=limit to use the limits as values"
NO_SIGN = "a number without %, which the other cells have"
NO_FRACTION = "a number without % that is too large for a fraction"
WITH_SIGN = "write a % behind it if it is a percentage"
LEGACY = Notation(thousands=",", percent="written", ranges=True, suffixes=False)  # of models saved without a notation


def _readable(found: dict[str, Any]) -> dict[str, Any]:
    Notation.from_json(found)
    return found


SavedNotation = Annotated[dict[str, Any], AfterValidator(_readable)]  # what `to_json` gave
Note = Annotated[list[str], Field(min_length=2, max_length=2)]  # what the user should know: a reason and a cure
