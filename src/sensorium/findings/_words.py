"""Words that problems share."""

from __future__ import annotations

IN_TRAINING = " in the training rows"  # follows counts over these
VALUE_SHOWN = 80  # characters of a cell's value that a report quotes


def shorten(value: object) -> str:
    """Return a cell's value, shortened for reports."""
    text = f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}… ({len(text):,} characters)"


def count(number: int, noun: str) -> str:
    """Return a counted noun: `count(1, "row")` is "1 row", `count(2000, "row")` is "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def be(number: int) -> str:
    """Return the verb of a counted noun: "is" for 1, else "are"."""
    return "is" if number == 1 else "are"
