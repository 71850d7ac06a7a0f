"""Give the same modality to list columns that have the same lengths in every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sensorium.config import as_modality
from sensorium.findings import Unreadable
from sensorium.table import Column, Table, find_list_notation

if TYPE_CHECKING:
    from sensorium.findings import ColumnPlan

LOOKED_AT = 200
SHORT = 3  # numbers in each row below which it may be by chance
UNSURE = 0.95  # confidence of a claim below which another column may speak for this one


def agree_on_lists(table: Table, plans: Sequence[ColumnPlan]) -> list[ColumnPlan]:
    """Return the plans, with an unsure vector read as a series if a series column has the same lengths."""
    lists = [plan for plan in plans if plan.modality in ("vector", "series")]
    unsure = [plan.name for plan in lists if plan.modality == "vector" and plan.confidence < UNSURE]
    series = [plan.name for plan in lists if plan.modality == "series" and plan.name in table.columns]
    if not (unsure and series):
        return list(plans)
    lengths = {name: _lengths(table.column(name)) for name in (*unsure, *series)}
    twins = {name: next((o for o in series if lengths[name] and lengths[o] == lengths[name]), None) for name in unsure}
    return [_as_series(plan, twin) if (twin := twins.get(plan.name)) else plan for plan in plans]


def _as_series(plan: ColumnPlan, twin: str) -> ColumnPlan:
    reason = f"{plan.reason}; in every row, the list has as many numbers as {twin!r}, which is a series"
    caution = f"this is a guess; if it is not series: {as_modality(plan.name, 'vector')}"
    return replace(plan, modality="series", reason=reason, caution=caution)


def _lengths(column: Column) -> list[int]:
    """Return the lengths of some of the lists; empty if they are short."""
    cells = column.sample(LOOKED_AT)
    if column.is_string:
        notation = find_list_notation(cells)
        try:
            cells = [notation.read(cell) for cell in cells] if notation else []
        except Unreadable:
            return []
    found = [len(cell) for cell in cells if isinstance(cell, list)]
    return found if min(found, default=0) >= SHORT else []
