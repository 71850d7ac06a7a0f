"""Detect digits that are codes or phone numbers."""

from __future__ import annotations

import re

from sensorium.table._notation.mixtures import MOSTLY, enough
from sensorium.table._notation.tally import Tally

PHONE_DIGITS = 9  # digits, in groups and as many in every cell, of a telephone number
PHONE = re.compile(r"phone|mobile|(^|[^a-z])(tel|fax|telefon|handy|gsm)([^a-z]|$)", re.IGNORECASE)


def code_of(counts: Tally) -> str:
    """Return an example of digits that a number would not keep: leading zeros, too many digits, letters among them."""
    if counts.digits + counts.lots + counts.suffixes.total() != counts.numbers:
        return ""  # signs, decimals or currencies: amounts
    if counts.lots and enough(counts.lots, counts.cells):
        return counts.examples["lot"]
    if counts.padded and (enough(counts.padded, counts.cells) or counts.padded == counts.digits):
        return counts.examples["padded"]
    if counts.long > MOSTLY * counts.cells:
        return counts.examples["long"]
    letters = {unit for unit in counts.units if len(unit) == 1} | {text[-1] for text in counts.suffixes}
    codes = counts.codes.total() + (sum(counts.units.values()) if len(letters) > 1 else 0)
    if codes and enough(codes, counts.cells):
        return (counts.codes or counts.words).most_common(1)[0][0]
    return ""


def phone_of(counts: Tally, name: str) -> str:
    grouped = sum(counts.lengths.values()) - counts.lengths[0]
    alike = len(+counts.lengths) == 1 and next(iter(+counts.lengths)) >= PHONE_DIGITS and grouped == counts.numbers
    called = bool(PHONE.search(name)) and grouped > MOSTLY * counts.cells
    return counts.examples["group"] if grouped and (alike or called) else ""
