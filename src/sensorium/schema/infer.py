"""Infer the modality of each column: the registered modalities claim it, and the best claim wins."""

from __future__ import annotations

from sensorium.config import Config, as_modality
from sensorium.errors import SchemaError, did_you_mean, raise_together
from sensorium.findings import ColumnPlan, Guess
from sensorium.registry import modalities
from sensorium.schema._column_plan import is_left_out, kind_of, plan_column
from sensorium.schema._column_settings import ColumnSettings, as_set
from sensorium.schema._split_column import with_unused_split
from sensorium.schema._views import plan_views
from sensorium.schema.alike import agree_on_lists
from sensorium.table import Column, Table

SHOWN = 10  # columns in a message


def infer_columns(table: Table, config: Config) -> list[ColumnPlan]:
    """Return a plan for every column of the table, in its order.

    Raises:
        SchemaError: the settings name columns that the table lacks, or no column is left to learn from.
    """
    settings = ColumnSettings.of(table, config)
    plans = [plan_column(as_set(table.column(name), config), settings) for name in table.columns]
    plans = agree_on_lists(table, with_unused_split(plans, table, config))
    plans = [each for plan in plans for each in (plan, *plan_views(plan, table, settings))]
    _check_names(table, config, [plan.name for plan in plans])
    if not any(plan.modality for plan in plans):
        raise _nothing_left(table, plans, settings)
    return plans


def _nothing_left(table: Table, plans: list[ColumnPlan], settings: ColumnSettings) -> SchemaError:
    """Return the error for a table without features; its cure is to use a column that was left out, if any."""
    reasons = "; ".join(f"{plan.name!r}: {plan.reason}" for plan in plans[:SHOWN])
    more = f"; and {len(plans) - SHOWN:,} more" if len(plans) > SHOWN else ""
    cure = "add a column to learn from"
    for plan in plans:
        unused = plan.name in table and plan.name not in settings.roles and table.column(plan.name).distinct > 1
        if unused and is_left_out(plan.name, settings):
            cure = f"use column {plan.name!r}: change the settings columns and exclude"
        elif unused and (kind := kind_of(as_set(table.column(plan.name), settings.config), settings.config)):
            flag, python = as_modality(plan.name, kind), {plan.name: kind}
            cure = f"use column {plan.name!r}: {flag} (Python: modalities={python!r})"
            break
    return SchemaError(f"no column is left to learn from: {reasons}{more}", place=table.name, cure=cure)


def claim_of(kind: str, column: Column) -> Guess | None:
    """Return the claim of one modality on a column; None if it cannot be of that kind."""
    guess: Guess | None = modalities.load(kind).looks_like(column)
    return guess


def _check_names(table: Table, config: Config, known: list[str]) -> None:
    """Check that all columns named by the settings exist; the target and the split columns must not be views."""
    own = [config.target, config.split.column, config.split.group, config.split.time, *(config.split.span or ())]
    own += [*config.table.lists]
    asked = [*(config.columns or []), *config.exclude, *(c for tower in config.towers.values() for c in tower)]
    asked += [name for name in config.modalities if name not in modalities.entries]
    missing = dict[str, list[str]]()
    for names, there in ((own, table.columns), (asked, known)):
        at_hand = frozenset(there)
        missing |= {name: there for name in names if name is not None and name not in at_hand}
    raise_together([
        SchemaError(f"the table has no column {name!r}", place=table.name, cure=did_you_mean(name, there))
        for name, there in missing.items()
    ])  # fmt: skip
