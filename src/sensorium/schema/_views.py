"""Plan the views of a column: names that read its cells in another way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.findings import ColumnPlan
from sensorium.registry import modalities
from sensorium.schema._column_plan import kind_of
from sensorium.schema._column_settings import ColumnSettings, as_set
from sensorium.table import Table


def views_of(plans: Iterable[ColumnPlan]) -> dict[str, str]:
    """Return the views among the plans: name → the column that is read."""
    return {plan.name: plan.view_of for plan in plans if plan.view_of}


def plan_views(plan: ColumnPlan, table: Table, settings: ColumnSettings) -> list[ColumnPlan]:
    """Return plans for the views of a column.

    What its modality offers, such as a video's sound, is used wherever the column is; what is asked for by its name,
    such as a scan's attribute, with or without the column. A column of the table with this name is no view.
    """
    asked, config = settings.views.get(plan.name, ()), settings.config
    cells = as_set(table.column(plan.name), config)
    kind = plan.modality or (kind_of(cells, config) if asked else None)
    if not kind or plan.name == config.target:
        return []
    member = modalities.load(kind)
    offered = member.views(cells)
    found = []
    for name in dict.fromkeys([*(offered if plan.modality else ()), *asked]):
        column = f"{plan.name}.{name}"
        if column in table.columns:
            continue
        if column in settings.exclude:
            found.append(ColumnPlan(column, None, "left out by setting", view_of=plan.name))
        elif reader := offered.get(name) or _reader(member, plan.name, name, config):
            chosen = config.modalities.get(column)
            reason = f"read from the cells of {plan.name}"
            found.append(ColumnPlan(column, (chosen and chosen.name) or reader, reason, view_of=plan.name))
    return found


def _reader(member: Any, owner: str, name: str, config: Config) -> str | None:
    """Return the modality of a view that is only requested by name.

    Raises:
        ConfigError: the settings name another one.
    """
    column, modality = f"{owner}.{name}", cast(str | None, member.view(name))
    chosen = config.modalities.get(column)
    if modality and chosen and chosen.name not in (None, modality):
        options = ", ".join(option.name for option in modalities.options(modality))
        cure = f"remove the modality from the setting; the options of {modality} are {options}"
        raise ConfigError(
            f"only {modality} can read this view, not {chosen.name}", place=f"column {column!r}", cure=cure
        )
    return modality
