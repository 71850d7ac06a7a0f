"""Parse the text of a cell before the decimal mark of the column is known."""

from __future__ import annotations

import re
from typing import NamedTuple

from sensorium.table._notation.words import CURRENCY, LIMIT, LIMITS, POWER, POWERS, currency_of, fold

LONGEST = 64  # characters of a number with all that is around it
MARKS = ".,' ٫"
BODY = r"[0-9](?:[.,' ٫]?[0-9])*[.,٫]?|[.,٫][0-9]+"
CELL = re.compile(
    rf"""(?P<limit>{LIMIT})?\ ?(?P<open>\()?\ ?(?P<sign>[+\-–])?\ ?(?P<before>{CURRENCY})?\ ?(?P<first>%)?\ ?
    (?P<sign2>[+\-–])?\ ?(?P<open2>\()?\ ?(?P<body>{BODY})(?P<exponent>[eE][+-]?[0-9]{{1,3}})?
    (?:(?<=[.,])[-–—]{{1,2}})?\ ?(?P<power>{POWER})?\ ?(?P<percent>%)?\ ?(?P<trail>[-–])?(?P<close2>\))?\ ?
    (?P<percent2>%)?\ ?(?P<after>{CURRENCY})?\ ?(?P<trail2>[-–])?(?P<close>\))?\ ?(?P<more>\+)?""",
    re.VERBOSE,
)
RANGE = re.compile(rf"(?P<low>{BODY})\ ?(?:-|–|—|\bto\b|\bbis\b)\ ?(?P<high>{BODY})")
INFINITE = re.compile(r"([+-]?)(?:inf|infinity|∞)", re.IGNORECASE)
LONE_LETTERS = ("m", "b", "mm")  # behind a number, small letters are a unit (metres, bits), unless it is money


class Cell(NamedTuple):
    """Number in a cell, as written.

    Attributes:
        decimal: the digits if `mark` is the decimal mark; None if it cannot be.
        mark: the possible decimal mark; empty if there is none.
        grouped: the digits if `groups` separates thousands; None if it cannot.
        groups: the mark between groups of three; a space stands for all spaces, ' for all apostrophes.
        power: power of ten, of an exponent, of k, M …
        currency: as a code, if there is one.
        percent: whether it has a %.
        suffixed: whether its power is a letter or word.
        limit: −1 for "<5", +1 for ">5" and "5+", else 0.
        about: whether it is approximate, as "ca. 5".
        negative: whether it is below 0. brackets: whether it is written as (5).
    """

    decimal: str | None
    mark: str
    grouped: str | None
    groups: str
    power: int = 0
    currency: str = ""
    percent: bool = False
    suffixed: bool = False
    limit: int = 0
    about: bool = False
    negative: bool = False
    brackets: bool = False

    @property
    def is_ambiguous(self) -> bool:
        return self.decimal is not None and self.grouped is not None


def parse(text: str) -> Cell | None:
    """Parse a cell; return None if it is not a number."""
    if len(text) > LONGEST:
        return None
    found = CELL.fullmatch(fold(text))
    if not found:
        return None
    part = found.groupdict()
    body = _body(part["body"])
    signs = [sign for name in ("sign", "sign2", "trail", "trail2") if (sign := part[name])]
    opened, closed = (sum(part[name] is not None for name in pair) for pair in (("open", "open2"), ("close", "close2")))
    money = {currency_of(part[name]) for name in ("before", "after") if part[name]}
    percents = sum(part[name] is not None for name in ("first", "percent", "percent2"))
    if not body or len(signs) + opened > 1 or opened != closed or opened > 1 or len(money) > 1 or percents > 1:
        return None
    power = (part["power"] or "").rstrip(".")
    if (power in LONE_LETTERS and not money) or (part["limit"] and part["more"]):
        return None
    return Cell(
        *body,
        power=int((part["exponent"] or "e0")[1:]) + POWERS.get(power.casefold(), 0),
        currency=next(iter(money), ""),
        percent=percents > 0,
        suffixed=bool(power),
        limit=1 if part["more"] else LIMITS[part["limit"].casefold()] if part["limit"] else 0,
        about=bool(part["limit"]) and LIMITS[part["limit"].casefold()] == 0,
        negative=bool(opened) or signs[:1] in (["-"], ["–"]),
        brackets=bool(opened),
    )


def parse_range(text: str) -> tuple[Cell, Cell] | None:
    """Return both ends of "91-92" or "91 to 92"; None if it is not a range."""
    found = RANGE.fullmatch(fold(text)) if len(text) <= LONGEST else None
    ends = [found and _body(found[name]) for name in ("low", "high")]
    return (Cell(*ends[0]), Cell(*ends[1])) if ends[0] and ends[1] else None


def infinite(text: str) -> float | None:
    found = INFINITE.fullmatch(fold(text))
    return float(f"{found[1]}inf") if found else None


def _body(text: str) -> tuple[str | None, str, str | None, str] | None:
    """Return `decimal`, `mark`, `grouped`, `groups` of a cell; None if its marks do not form a number."""
    marks = [sign for sign in text if sign in MARKS]
    if not marks:
        return text, "", None, ""
    kinds = list(dict.fromkeys(marks))
    if len(kinds) == 2 and marks.count(kinds[1]) == 1 and text.rindex(kinds[1]) > text.rindex(kinds[0]):
        whole, part = text.split(kinds[1])
        grouped = _grouped(whole, kinds[0])
        fits = grouped is not None and kinds[1] in ".,٫"
        return (f"{grouped}.{part}", kinds[1], None, kinds[0]) if fits else None
    if len(kinds) > 1:
        return None
    mark = kinds[0]
    decimal = text.replace(mark, ".") if mark in ".,٫" and len(marks) == 1 else None
    grouped = _grouped(text, mark) if mark != "٫" else None
    if decimal is None and grouped is None:
        return None
    return decimal, mark if decimal is not None else "", grouped, mark if grouped is not None else ""


def _grouped(text: str, mark: str) -> str | None:
    """Return the digits of 1,234,567, or of the Indian 12,34,567; None if they are grouped otherwise."""
    first, *rest = text.split(mark)
    threes = 1 <= len(first) <= 3 and all(len(group) == 3 for group in rest)
    indian = mark == "," and 1 <= len(first) <= 2 and len(rest) > 1 and len(rest[-1]) == 3
    if not first or first[0] == "0" or not rest:
        return None
    return "".join([first, *rest]) if threes or (indian and all(len(group) == 2 for group in rest[:-1])) else None
