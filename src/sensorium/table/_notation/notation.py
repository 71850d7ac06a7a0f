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
OTHER_NOTATION = "a decimal or thousands separator that differs from that of the column: read in the only possible way"
AS_TRAINED = "write the cell like the training cells"


class Reading(NamedTuple):
    """Value of a cell (NaN if missing), −1 or +1 for an upper or lower limit (else 0), and a message for the user."""

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
        percent: `all`: all cells have a %, and the number before it is read; `fraction`: a column of fractions, in
            which 5% is 0.05; `none`: no cell has a %; `written`: the number before a % is read, also if other cells
            have no %.
        currency: code of the currency; empty if there is none.
        suffixes: whether k, M, bn … after a number are powers of ten.
        always_suffixed: whether every training cell except 0 has such a suffix; a number without one is then reported.
        ranges: whether "91-92" is read as 91.5.
        limits: how "<5" is read: as its `limit`, or `missing`; empty if training had none.
        mixed: whether the column has decimal points and decimal commas; ambiguous cells are then missing.
        missing: words for a missing value in this column, besides the usual ones, in lower case.
        units: spellings of the unit after the numbers, which is dropped; a number without a unit has the same unit.
        thousandths: whether cells may have three decimals. If not (because training cells have two or none), 1,234 may
            be 1234 in another notation, and is missing.
        letters: meaning of letters after numbers, if they are not powers of ten: `bytes` (B is a byte, K is 1,000
            bytes), `sides` (CR is +, DR is −) or `none` (letters are dropped).
        largest_fraction: in a column of fractions, larger numbers without % are missing.
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
        return f"is not the unit of the column, {self.units[0]!r}" if self.units else "the training cells do not have"

    def ends(self, text: str) -> tuple[float, float] | None:
        """Return both numbers of "91-92"; None if the cell is not a range."""
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
            return "the number is followed by a letter or word that does not occur in training"
        return LIMIT if cell.limit and self.limits == "missing" else ""


NO_SUFFIX = "a number without a suffix such as k or M, which all training cells have: read as it is"
LIMIT = "a limit, not a value"
READS_LIMITS = "table.censored=missing asks for this; fit with table.censored=limit to use the limits as values"
NO_SIGN = "a number without %, which the other cells have"
NO_FRACTION = "a number without % that is too large for a fraction"
WITH_SIGN = "write a % after it if it is a percentage"
LEGACY = Notation(thousands=",", percent="written", ranges=True, suffixes=False)  # of models saved without a notation


def _readable(found: dict[str, Any]) -> dict[str, Any]:
    Notation.from_json(found)
    return found


SavedNotation = Annotated[dict[str, Any], AfterValidator(_readable)]  # what `to_json` gave
Note = Annotated[list[str], Field(min_length=2, max_length=2)]  # what the user should know: a reason and a cure
