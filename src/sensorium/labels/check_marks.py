"""Recognize columns of check marks ("x" or empty), whose information is whether a cell is filled."""

from __future__ import annotations

from sensorium.table import Column

FEWEST, LEAST = 3, 0.01  # cells, and share of all cells, that are empty, and that are filled


def holds_check_marks(column: Column) -> bool:
    """Return whether the filled cells have one value, and enough cells are filled and empty to learn from both."""
    filled = len(column.values)
    return min(filled, len(column) - filled) >= max(FEWEST, LEAST * len(column)) and column.distinct == 1
