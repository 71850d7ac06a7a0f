"""Columns of check marks, "x" or empty: whether a cell is filled is what they tell."""

from __future__ import annotations

from sensorium.table import Column

FEWEST, LEAST = 3, 0.01  # cells, and share of all cells, that are empty, and that are filled


def holds_check_marks(column: Column) -> bool:
    """Whether the filled cells have one value, and enough cells are empty and enough filled to learn from both."""
    filled = len(column.values)
    return min(filled, len(column) - filled) >= max(FEWEST, LEAST * len(column)) and column.distinct == 1
