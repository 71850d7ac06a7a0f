"""Find the column that holds each row's split."""

from __future__ import annotations

from dataclasses import replace

from sensorium.config import Config
from sensorium.findings import ColumnPlan
from sensorium.split.spellings import SPELLINGS
from sensorium.table import Column, Table

SPLIT_NAMES = ("split", "fold", "subset", "partition", "set")


def split_column(table: Table, config: Config) -> str | None:
    """Return the column that holds each row's split: the one set, or one whose name and values look like splits."""
    split = config.split
    return split.column if split.column or split.group or split.time else _likely_split(table, config)


def _likely_split(table: Table, config: Config) -> str | None:
    """Return a column whose name and values look like splits."""
    for name in table.columns:
        if name.lower() in SPLIT_NAMES and name != config.target:
            column = table.column(name)
            if (
                column.is_string
                and len(column.values)
                and column.distinct <= len(SPELLINGS)
                and _spelt_as_split(column)
            ):
                return name
    return None


def with_unused_split(plans: list[ColumnPlan], table: Table, config: Config) -> list[ColumnPlan]:
    """Add a caution to a split column that is unused because the settings split by group or time."""
    split = config.split
    found = _likely_split(table, config) if not split.column and (split.group or split.time) else None
    setting = "split.group" if split.group else "split.time"
    caution = f"it looks like a split column, but is not used as one because {setting} is set; --split-column {found}"
    return [
        replace(plan, caution="; ".join(filter(None, [plan.caution, caution])))
        if plan.name == found and found not in (split.group, split.time)
        else plan
        for plan in plans
    ]


def _spelt_as_split(column: Column) -> bool:
    return all(value.strip().lower() in SPELLINGS for value in column.values.unique().to_pylist())
