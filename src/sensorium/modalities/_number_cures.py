"""Phrases of the notes on numbers that name options of their column, and what they are for a target, which has none."""

from __future__ import annotations

from sensorium.config import as_modality, setting_of

APART = " apart"  # after `keeps_cells`: of two spellings of one number
AS_CLASSES = "--task multiclass keeps them as classes"


def keeps_cells(name: str) -> str:
    """Return what keeps the cells of a column as they are written."""
    return f"{as_modality(name, 'category')} keeps them"


def of_column_alone(name: str) -> str:
    """Return the option of the column that equals a setting of the table."""
    return f" (or {setting_of(name, 'decimal')})"


def marks_limits(name: str) -> str:
    """Return which view tells limits such as `<5` from numbers."""
    return f"; {name}.censored marks them"


def for_target(text: str, name: str) -> str:
    """Return a note in words for a target, which has no modality, no options and no views."""
    for phrase in (of_column_alone(name), marks_limits(name)):
        text = text.replace(phrase, "")
    for phrase in (f"{keeps_cells(name)}{APART}", keeps_cells(name)):
        text = text.replace(phrase, AS_CLASSES)
    return text
