"""Describe in words how a column writes numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sensorium.findings import be, count
from sensorium.modalities._number_cures import keeps_cells, marks_limits
from sensorium.table import (
    NAMES,
    Survey,
    stands_for_gaps,
)

SHOWN = 3  # words that are quoted


def in_words(found: Survey, name: str) -> list[str]:
    """Describe how a column writes its numbers, and how other cells are read."""
    counts, notation = found.counts, found.notation
    parts = [_marks(found)]
    parts += [f"currency {notation.currency}"] if counts.currencies else []
    parts += [f"unit {notation.units[0]!r}"] if notation.units else []
    signed = count(counts.percents.total(), "cell")
    parts += {
        "all": [f"{signed} with %, read without the sign"],
        "fraction": [f"fractions; {signed} with % are divided by 100"],
    }.get(notation.percent, [])
    parts += [f"{some_cells(counts.brackets)} read as negative because of the brackets"] if counts.brackets else []
    parts += (
        [f"{some_cells(counts.suffixes)} multiplied by the suffix"]
        if notation.suffixes and not notation.letters
        else []
    )
    parts += [f"{some_cells(counts.usual)} read as missing"] if counts.usual else []
    cures = {
        reason: f"{reason} ({cure})" for reason, cure in [*gaps_in_words(found, name), *limits_in_words(found, name)]
    }
    return [*filter(None, parts), *cures.values()]


def _marks(found: Survey) -> str:
    """Describe the decimal and thousands marks unless they are the usual ones."""
    notation, parts = found.notation, list[str]()
    if notation.decimal == ",":
        parts.append("decimal comma")
    if notation.thousands and (found.counts.groups or found.counts.doubtful):
        parts.append(f"thousands separated by {' or '.join(NAMES[mark] for mark in notation.thousands)}")
    return ", ".join(parts)


def gaps_in_words(found: Survey, name: str, where: str = "") -> list[tuple[str, str]]:
    words = found.counts.gaps + (found.counts.words if stands_for_gaps(found.counts) else Counter())
    return [(f"{some_cells(words, where)} read as missing", keeps_cells(name))] if words else []


def limits_in_words(found: Survey, name: str, where: str = "") -> list[tuple[str, str]]:
    some = some_cells(found.counts.limits, where)
    if not found.counts.limits:
        return []
    if found.notation.limits == "missing":
        return [
            (f"{some} read as missing, because table.censored=missing", "--set table.censored=limit reads the limits")
        ]
    kept = f"{some} read as the limit{marks_limits(name)}"
    return [(kept, "--set table.censored=missing reads them as missing")]


def some_cells(counted: Counter[str], where: str = "") -> str:
    """Return a subject such as `12 cells such as 'n.b.', 'k.A.' in the training rows are`."""
    examples: Sequence[str] = [repr(text) for text, _ in counted.most_common(SHOWN)]
    such = "such as " if len(counted) > len(examples) or counted.total() > len(counted) > 1 else ""
    verb = be(counted.total())
    return f"{count(counted.total(), 'cell')} {such}{', '.join(examples)}{where} {verb}"
