"""Find names that differ only in upper and lower case, among labels and categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sensorium.findings import count
from sensorium.labels.values import bare

ONE_LABEL = "--set table.labels=fold_case makes them one label"
SHOWN = 5  # examples that a message names


def case_twins(names: Mapping[str, int]) -> dict[str, int]:
    """Return names of which another differs only in case, and how often each occurs."""
    folded = Counter(bare(name).casefold() for name in names)
    return {name: number for name, number in names.items() if folded[bare(name).casefold()] > 1}


def twins_in_words(twins: Mapping[str, int], nouns: str, counted: str | None) -> str:
    """Describe such names: "some labels differ only in upper and lower case … 'F' (3 rows), 'f' (2 rows)".

    Args:
        twins: the result of `case_twins`.
        nouns: plural noun for the names.
        counted: noun for the counts; None if nothing was counted.
    """
    ordered = sorted(twins, key=lambda name: (bare(name).casefold(), -twins[name]))
    counts = [f" ({count(twins[name], counted)})" if counted else "" for name in ordered[:SHOWN]]
    shown = ", ".join(f"{name!r}{often}" for name, often in zip(ordered, counts, strict=False))
    more = ", …" if len(ordered) > SHOWN else ""
    return f"some {nouns} differ only in upper and lower case and stay separate: {shown}{more}"
