"""Findings about targets of dates, and of numbers that cannot be read."""

from __future__ import annotations

import pyarrow as pa

from sensorium.modalities.date import Date
from sensorium.modalities.number import survey_column
from sensorium.table import Column, may_be_numbers, mixed_amounts

SAMPLED = 1000  # cells
CLEARLY = 0.9  # how sure text is of dates
AS_NUMBER = "to predict it, convert it to a number, such as the days since 2020-01-01"


def holds_dates(column: Column) -> bool:
    """Return whether the cells are dates or times, typed or as text."""
    if pa.types.is_temporal(column.data.type):
        return True
    guess = Date.looks_like(column) if column.is_string else None
    return guess is not None and guess.confidence > CLEARLY


def unread_numbers(column: Column, *, one_currency: bool = False) -> str:
    """Return why a target that looks like numbers is not read as such, with a cure; empty for other targets.

    Args:
        column: the labels.
        one_currency: whether only the most common of several currencies is read.
    """
    if holds_dates(column):
        return f"the cells are dates or times, which cannot be a target; {AS_NUMBER}"
    if not column.is_string or not may_be_numbers(column.sample(SAMPLED)):
        return ""
    found, one_currency = survey_column(column), one_currency or column.conventions.currency is not None
    return mixed_amounts(found, any_currency=not one_currency) if found else ""
