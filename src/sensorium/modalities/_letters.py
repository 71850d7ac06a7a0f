"""Notes on letters after a column's numbers: how they are read, with examples."""

from __future__ import annotations

from collections.abc import Iterable

from sensorium.findings import IN_TRAINING, count
from sensorium.modalities._number_cures import keeps_cells
from sensorium.table import Survey

BYTES, POWERS = {"b"}, {"k", "m", "mm", "mn", "mio"}
SHOWN = 4  # examples


def letter_notes(found: Survey, name: str) -> list[tuple[str, str]]:
    """Return pairs of a reason and how to fix it."""
    counts, marks = found.counts, found.counts.marks
    number = f"{count(counts.suffixes.total(), 'cell')}{IN_TRAINING}"
    keeps = keeps_cells(name)
    if found.notation.letters == "sides":
        reason = f"CR and DR in {number} are read as credit (+) and debit (−): {_examples(found, bare=True)}"
        return [(reason, "write a sign before every number; write 'crore' if you mean ten millions")]
    if found.notation.letters == "bytes":
        reason = f"letters in {number} are read as file sizes, and B as bytes: {_examples(found)}"
        return [(reason, f"if these are not file sizes, write plain numbers without letters; {keeps}")]
    if found.notation.letters == "none":
        reason = f"letters in {number} are ignored, because these numbers are about as large as those without letters"
        return [(f"{reason}: {_examples(found, bare=True)}", f"{keeps}; write large numbers with all their digits")]
    if not found.notation.suffixes:
        return []
    if counts.unsuffixed:
        reason = (
            f"{count(counts.suffixes.total(), 'cell')} with a suffix and {count(counts.unsuffixed, 'cell')} without"
        )
        reason += f"{IN_TRAINING}: {_examples(found, bare=True)}"
        return [(reason, "write the suffix in every cell that needs it")]
    if BYTES & marks.keys() and POWERS & marks.keys():
        reason = f"B in {number} is read as billion, not as byte: {_examples(found)}"
        return [(reason, f"write all amounts in one unit if this is wrong; {keeps}")]
    return []


def _examples(found: Survey, *, bare: bool = False) -> str:
    """Return examples such as `'3.6M' is read as 3600000, '2' as 2`: one per suffix, and one without."""
    texts: Iterable[str] = [*list(found.counts.marks.values())[:SHOWN], *([*found.counts.bare][:1] if bare else [])]
    read = [f"{text!r} as {found.notation.read(text).value:.12g}" for text in texts]
    return ", ".join(read).replace(" as ", " is read as ", 1)
