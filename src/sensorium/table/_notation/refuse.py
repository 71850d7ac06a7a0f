"""Detect columns of digits that are not amounts: codes, phone numbers, scores, several currencies."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa

from sensorium.config import as_modality
from sensorium.table._dates import read_dates
from sensorium.table._notation.codes import code_of, phone_of
from sensorium.table._notation.infer import MINORITY, Survey
from sensorium.table._notation.mixtures import MOSTLY, enough, several_kinds, with_units
from sensorium.table._notation.notation import Notation
from sensorium.table._notation.tally import Tally

MOST_BINS = 50  # different ones


def refusal(found: Survey, name: str, *, any_currency: bool) -> str:
    """Return the reason not to read a column as numbers, although most cells look like numbers; empty if none.

    Args:
        found: counts of its cells.
        name: the column's name.
        any_currency: whether the settings name no currency.
    """
    counts = found.counts
    if several := several_kinds(counts, any_currency=any_currency):
        return several
    if joined := _joined(found):
        kind = "contain two numbers (a score, a range, a phone number, a code?) and are not read as one"
        return f"cells such as {joined!r} {kind}; a separate column for each keeps them as numbers"
    example = (code_of(counts) or phone_of(counts, name)) if counts.numbers > MOSTLY * counts.cells else ""
    kind = f"look like codes and are not read as numbers; {as_modality(name, 'number')} reads them as numbers"
    return f"cells such as {example!r} {kind}" if example else with_units(counts)


def are_bins(counts: Tally) -> bool:
    """Return whether the cells are consecutive ranges, such as 18-24, 25-34, 65+, which are a category."""
    ends = sorted({pair for text in counts.joined if (pair := Notation().ends(text))})
    rising = all(low < high for low, high in ends) and all(one[1] <= two[0] for one, two in pairwise(ends))
    return 1 < len(ends) <= MOST_BINS and rising and counts.joined.total() > MINORITY * counts.cells


def _joined(found: Survey) -> str:
    """Return an example of two numbers in a cell, such as a ZIP+4, a phone number or a score; else empty."""
    counts = found.counts
    if found.notation.ranges or not counts.joined:
        return ""
    if are_bins(counts) or _are_dates(counts):
        return ""
    joined = counts.joined.total()
    digits_only = counts.digits == counts.numbers
    if joined > MINORITY * counts.cells or (digits_only and enough(joined, counts.cells)):
        return counts.joined.most_common(1)[0][0]
    return ""


def _are_dates(counts: Tally) -> bool:
    """Return whether most of the joined numbers are days of the calendar."""
    cells = [*counts.joined]
    return read_dates(pa.array(cells, pa.string())).count_days() > MOSTLY * len(cells)
