"""Layouts of dates as regular expressions for Arrow, and the normalization of text before they are tried."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.table._date_words import ERAS

WEEKDAY = r"(?:(?P<weekday>[a-z]{2,10})(?:\.?,? |,|\. ?))?"
CLOCK = (
    r"(?:(?: ?t ?|,? (?:at |um |a las |- )?|_|:)(?:(?P<half_before>am|pm) ?)?(?P<hour>\d{1,2})"
    r"(?:[:.h] ?(?P<minute>\d{1,2})(?:[:.] ?(?P<second>\d{1,2})(?:[.,:](?P<fraction>\d{1,9}))?)?)?"
    r"(?: ?(?P<half>[ap](?:\.? ?m)?\b\.?))?(?: uhr)?)?"
)
ZONE = (
    r"(?: ?(?P<zone>[a-z]{1,5}))?(?: ?(?P<sign>[+-])(?P<zone_hours>\d{1,2})(?::?(?P<zone_minutes>\d{2}))?)?"
    r"(?: utc)?(?: ?[\[(][^\])]*[\])]?)?"
)
NAME = r"(?P<name>[a-z]{3,10})\.?"  # of a month
JOINT = r"(?:[-/ .,]|of |de |del )*"
YEAR = r"(?:'?(?P<year>\d{4}|\d{2}))"
NEAR_YEAR = r"(?P<year>1[89]\d\d|2[01]\d\d)"  # where little else tells a date from a code
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.)?"
TWO = r"(?P<a>\d{1,2})(?P<before> ?[-/.] ?| )(?P<b>\d{1,2})(?P<behind> ?[-/.] ?| )"
YMD = r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"


@dataclass(frozen=True)
class Layout:
    """Layout of a date.

    Attributes:
        name: name for users.
        body: regular expression of the date; a clock and a zone may follow if `clock` is set.
        clock: whether the layout names a day, so that a time of day may follow.
        loose: whether the groups are `a`, `b` and `c`, in an order of day, month and year that depends on the column.
        digits: whether the date has only digits, like a number or code.
    """

    name: str
    body: str
    clock: bool = True
    loose: bool = False
    digits: bool = False

    @property
    def pattern(self) -> str:
        return f"^{WEEKDAY}{self.body}{CLOCK}{ZONE}$" if self.clock else f"^{self.body}$"


LAYOUTS = (
    Layout("year-month-day", r"(?P<year>\d{4})(?: ?[-/.:] ?)(?P<month>\d{1,2})(?: ?[-/.:] ?)(?P<day>\d{1,2})\.?"),
    Layout("day/month/year", TWO + r"(?P<c>\d{4})\.?", loose=True),
    Layout("day/month/year", TWO + r"'?(?P<c>\d{2})", loose=True),
    Layout("day month year", DAY + JOINT + NAME + JOINT + YEAR),
    Layout("month day year", NAME + r"[-/ ]?" + DAY + r"[-/ ,]+" + YEAR),
    Layout("year month day", r"(?P<year>\d{4})" + JOINT + NAME + JOINT + DAY),
    Layout("year-month", NEAR_YEAR + r"(?:[-/](?P<month>\d{1,2})|\.(?P<month_two>\d{2}))", clock=False),
    Layout("month/year", r"(?P<month>\d{1,2})[-/.]" + NEAR_YEAR, clock=False),
    Layout("month year", NAME + JOINT + r"(?:'?(?P<year>\d{4}))", clock=False),
    Layout("month year", NAME + r"[-']+(?P<year>\d{2})", clock=False),
    Layout("year month", NEAR_YEAR + r"[-/ ]" + NAME, clock=False),
    Layout("quarter", r"(?P<year>\d{4})[-/ ]?q(?P<quarter>[1-4])", clock=False),
    Layout("quarter", r"(?:q(?P<quarter>[1-4])|(?P<quarter_two>[1-4])q)[-/ ]*" + YEAR, clock=False),
    Layout("week", r"(?P<year>\d{4})[- ]?(?:w|kw ?)(?P<week>\d{1,2})(?:-?(?P<week_day>[1-7]))?", clock=False),
    Layout("week", r"(?:w|kw ?)(?P<week>\d{1,2})[-/ ](?P<year>\d{4})", clock=False),
    Layout("yyyymmdd", YMD + r"(?:(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?)?", clock=False, digits=True),
    Layout(
        "yyyymmddThhmm",
        YMD + r"[t_ -](?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?" + ZONE,
        clock=False,
    ),
    Layout("yyyymm", NEAR_YEAR + r"(?P<month>\d{2})", clock=False, digits=True),
)
COARSE = frozenset(("year-month", "month/year", "month year", "year month", "quarter", "week", "yyyymm"))

# What no layout fits is tried again with its parts in another order: the time first, or the year last.
REWRITES = (
    (r"^(\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?),? +(\S.*)$", r"\2 \1"),
    (r"^((?:[a-z]+,? )?[a-z]+ \d{1,2}) (\d{1,2}:\d{2}:\d{2})((?: [a-z]{1,5})?(?: [+-]\d{4})?) (\d{4})$", r"\1 \4 \2\3"),
    (r"^(\d{4}-\d{2}-\d{2})-(\d{2})\.(\d{2})\.(\d{2})", r"\1 \2:\3:\4"),
    (r"^(\d{4}-\d{2}-\d{2})[ t_](\d{2})-(\d{2})-(\d{2})$", r"\1 \2:\3:\4"),
)
_ASIAN = (
    (r"\((?:[月火水木金土日一二三四五六]|[월화수목금토일])\)", " "),
    (r"(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일", " "),
    (r"上午|午前|오전", " am "),
    (r"下午|午後|오후", " pm "),
    (r" ?[年년月월] ?", "-"),
    (r" ?[日号號일]", " "),
    (r" ?[时時点點시분分] ?", ":"),
    (r"[秒초]", ""),
    (r"[-: ]+$", ""),
)
_ERA = re.compile(rf"({'|'.join(ERAS)}) ?(元|\d{{1,3}}) ?年")


def normalise(texts: pa.Array) -> pa.Array:
    """Normalize text: lower case, single spaces, no accents, no quotes around, ASCII digits and signs."""
    odd = pc.invert(pc.string_is_ascii(texts))
    if pc.any(odd).as_py():
        texts = pc.replace_with_mask(texts, odd, _fold(texts.filter(odd)))
    return pc.utf8_trim(pc.replace_substring_regex(pc.ascii_lower(texts), r"\s+", " "), " '\"[]")


def rewrite(texts: pa.Array) -> pa.Array:
    """Rewrite text: the date first, then the year, then the time."""
    for pattern, order in REWRITES:
        texts = pc.replace_substring_regex(texts, pattern, order)
    return texts


def _fold(texts: pa.Array) -> pa.Array:
    texts = pc.utf8_normalize(texts, form="NFKC")
    eras = np.flatnonzero(np.asarray(pc.match_substring_regex(texts, "|".join(ERAS))))
    if len(eras):
        told = [_ERA.sub(_year_of_era, text) for text in texts.take(pa.array(eras)).to_pylist()]
        mask = np.zeros(len(texts), np.bool_)
        mask[eras] = True
        texts = pc.replace_with_mask(texts, pa.array(mask), pa.array(told, pa.string()))
    for pattern, plain in _ASIAN:
        texts = pc.replace_substring_regex(texts, pattern, plain)
    texts = pc.replace_substring_regex(pc.utf8_normalize(texts, form="NFKD"), r"[\x{0300}-\x{036f}]+", "")
    texts = pc.replace_substring_regex(pc.utf8_normalize(texts, form="NFC"), r"[‐‑‒–—−]", "-")
    return pc.utf8_lower(pc.replace_substring_regex(texts, "[’´`]", "'"))


def _year_of_era(found: re.Match[str]) -> str:
    return f"{ERAS[found[1]] + (1 if found[2] == '元' else int(found[2]))}年"
