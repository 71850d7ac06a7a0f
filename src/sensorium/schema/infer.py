"""Infer the modality of each column: the registered modalities claim it, and the best claim wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import pyarrow as pa

from sensorium.config import Choice, Config, as_modality, spelt_words
from sensorium.errors import ConfigError, SchemaError, did_you_mean, raise_together
from sensorium.findings import ColumnPlan, Guess, count
from sensorium.findings.claims import CERTAIN, best_claim
from sensorium.labels.check_marks import holds_check_marks
from sensorium.registry import modalities
from sensorium.schema.alike import agree_on_lists
from sensorium.schema.identifiers import find_identifier
from sensorium.split.split import SPELLINGS
from sensorium.table import Column, Table, without_codes

SHOWN = 10  # columns in a message
SPLIT_NAMES = ("split", "fold", "subset", "partition", "set")
CONVENTIONS = ("decimal", "thousands", "currency", "missing", "censored", "day_first")  # options: how cells are written


def views_of(plans: Iterable[ColumnPlan]) -> dict[str, str]:
    """Return the views among the plans: name → the column that is read."""
    return {plan.name: plan.view_of for plan in plans if plan.view_of}


@dataclass(frozen=True)
class _ColumnSettings:
    """Settings about columns, indexed by name.

    Attributes:
        config: the settings.
        roles: column → its role, if it is not a feature.
        only: the columns to use; None for all.
        exclude: the columns to leave out.
        views: column → names of its views that the settings mention.
    """

    config: Config
    roles: Mapping[str, str]
    only: frozenset[str] | None
    exclude: frozenset[str]
    views: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, table: Table, config: Config) -> _ColumnSettings:
        only = None if config.columns is None else frozenset(config.columns)
        return cls(config, _roles(table, config), only, frozenset(config.exclude), _asked_views(table, config))

    def asks_for(self, name: str) -> bool:
        """Return whether the settings name the column, so that it is used in any case."""
        by_towers = any(name in tower for tower in self.config.towers.values())
        return name in (self.only or ()) or name in self.config.modalities or by_towers


def infer_columns(table: Table, config: Config) -> list[ColumnPlan]:
    """Return a plan for every column of the table, in its order.

    Raises:
        SchemaError: the settings name columns that the table lacks, or no column is left to learn from.
    """
    settings = _ColumnSettings.of(table, config)
    plans = [_plan(_as_set(table.column(name), config), settings) for name in table.columns]
    plans = agree_on_lists(table, _with_unused_split(plans, table, config))
    plans = [each for plan in plans for each in (plan, *_views(plan, table, settings))]
    _check_names(table, config, [plan.name for plan in plans])
    if not any(plan.modality for plan in plans):
        raise _nothing_left(table, plans, settings)
    return plans


def _nothing_left(table: Table, plans: list[ColumnPlan], settings: _ColumnSettings) -> SchemaError:
    """Return the error for a table without features; its cure is to use a column that was left out, if any."""
    reasons = "; ".join(f"{plan.name!r}: {plan.reason}" for plan in plans[:SHOWN])
    more = f"; and {len(plans) - SHOWN:,} more" if len(plans) > SHOWN else ""
    cure = "add a column to learn from"
    for plan in plans:
        unused = plan.name in table and plan.name not in settings.roles and table.column(plan.name).distinct > 1
        if unused and _left_out(plan.name, settings):
            cure = f"use column {plan.name!r}: change the settings columns and exclude"
        elif unused and (kind := _kind(_as_set(table.column(plan.name), settings.config), settings.config)):
            flag, python = as_modality(plan.name, kind), {plan.name: kind}
            cure = f"use column {plan.name!r}: {flag} (Python: modalities={python!r})"
            break
    return SchemaError(f"no column is left to learn from: {reasons}{more}", place=table.name, cure=cure)


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


def _with_unused_split(plans: list[ColumnPlan], table: Table, config: Config) -> list[ColumnPlan]:
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


def _as_set(column: Column, config: Config) -> Column:
    """Apply the column's own options for numbers and dates, and empty the cells that stand for a missing value."""
    own, dates = (config.modalities.get(key, Choice()).options for key in (column.name, "date"))
    options = {name: value for name, value in own.items() if name in CONVENTIONS}
    if "day_first" in dates:
        options.setdefault("day_first", dates["day_first"])
    if "missing" in options:
        options["missing"] = spelt_words(options["missing"])
        column = without_codes(column, options["missing"])
    return replace(column, conventions=column.conventions.given(**options)) if options else column


def _views(plan: ColumnPlan, table: Table, settings: _ColumnSettings) -> list[ColumnPlan]:
    """Return plans for the views of a column.

    What its modality offers, such as a video's sound, is used wherever the column is; what is asked for by its name,
    such as a scan's attribute, with or without the column. A column of the table with this name is no view.
    """
    asked, config = settings.views.get(plan.name, ()), settings.config
    cells = _as_set(table.column(plan.name), config)
    kind = plan.modality or (_kind(cells, config) if asked else None)
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
            reason = f"{name}, read from the cells of {plan.name}"
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


def _asked_views(table: Table, config: Config) -> dict[str, list[str]]:
    """Return column → names of its views that the settings mention."""
    in_towers = (name for tower in config.towers.values() for name in tower)
    named = dict.fromkeys([*(config.columns or []), *config.modalities, *in_towers])
    columns, views = frozenset(table.columns), dict[str, list[str]]()
    for name in named:
        owner, _, view = name.rpartition(".")
        if name not in columns and owner in columns:
            views.setdefault(owner, []).append(view)
    return views


def claim_of(kind: str, column: Column) -> Guess | None:
    """Return the claim of one modality on a column; None if it cannot be of that kind."""
    guess: Guess | None = modalities.load(kind).looks_like(column)
    return guess


def _kind(column: Column, config: Config) -> str | None:
    """Return the modality of a column that is itself left out."""
    chosen = config.modalities.get(column.name)
    return (chosen and chosen.name) or (best_claim(modalities, column, str)[0] if len(column.values) else None)


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


def _roles(table: Table, config: Config) -> dict[str, str]:
    """Return the columns that have another role than being a feature."""
    roles = {config.split.group: "keeps rows together in a split", split_column(table, config): "names the split"}
    roles |= dict.fromkeys(config.split.span or (), "marks the time span of a row")
    roles[config.target] = "the target"
    return {name: role for name, role in roles.items() if name is not None}


def _plan(column: Column, settings: _ColumnSettings) -> ColumnPlan:
    name, config, unread = column.name, settings.config, column.origin.unread
    if role := settings.roles.get(name):
        return ColumnPlan(name, None, role)
    if _left_out(name, settings):
        return ColumnPlan(name, None, "left out by setting")
    if unread:
        return ColumnPlan(
            name, None, f"no modality fits {unread}", column.origin.cure or "convert it to text or numbers to use it"
        )
    if not len(column.values):
        return ColumnPlan(name, None, "every cell is missing", caution="there is nothing to learn from")
    plan = _by_setting(column, config)
    if plan:
        return plan
    if column.distinct == 1:
        return _of_one_value(column)
    column, found, guess = _claimed(column)
    identifier = None if settings.asks_for(name) else find_identifier(column, found, guess)
    if identifier:
        return ColumnPlan(name, None, identifier.reason, identifier.caution)
    if not found:
        reason = f"no modality fits Arrow type {column.data.type}"
        return ColumnPlan(name, None, reason, "convert it to text or numbers to use it")
    reason = "; ".join(filter(None, (guess.reason, column.origin.converted)))
    caution = "; ".join(filter(None, (column.origin.lost, guess.caution)))
    return ColumnPlan(name, found, reason, caution, guess.confidence)


def _left_out(name: str, settings: _ColumnSettings) -> bool:
    """Return whether the settings leave the column out."""
    return name in settings.exclude or (settings.only is not None and name not in settings.only)


def _of_one_value(column: Column) -> ColumnPlan:
    """Plan a column with one value: check marks are informative by their empty cells; other columns are left out."""
    value, kind = f"{str(column.sample(1)[0])[:40]!r}", column.data.type
    filled, empty = count(len(column.values), "cell"), len(column) - len(column.values)
    if not holds_check_marks(column):
        reason = f"always {value}" + (f" but for {count(empty, 'empty cell')}" if empty else "")
        return ColumnPlan(column.name, None, reason, f"to use it: {as_modality(column.name, 'category')}")
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        caution = "whether a cell is filled may be informative: make a column of yes and no to use it"
        return ColumnPlan(column.name, None, f"always {value} but for {empty:,} empty cells", caution)
    reason = f"check marks: {value} in {filled}, {empty:,} are empty; the model learns whether a cell is filled"
    return ColumnPlan(column.name, "category", reason, confidence=CERTAIN)


def _claimed(column: Column) -> tuple[Column, str | None, Guess]:
    """Return the best claim; if numbers are not claimed (such as the lot number 1E10), the claim on their text."""
    flag = partial(as_modality, column.name)
    found, guess = best_claim(modalities, column, flag)
    if found or column.spelling is None:
        return column, found, guess
    column = replace(column, data=column.spelling, spelling=None)
    return column, *best_claim(modalities, column, flag)


def _by_setting(column: Column, config: Config) -> ColumnPlan | None:
    """Return the plan of a column whose modality the settings name."""
    name, chosen, windows = column.name, config.modalities.get(column.name), config.table.windows
    if chosen and chosen.name:
        modalities.entry(chosen.name)
        return ColumnPlan(name, chosen.name, "by setting")
    if windows and name in windows.series:
        return ColumnPlan(name, "series", f"by setting: windows of {windows.length} steps")
    if sources := config.table.series.get(name):
        return ColumnPlan(name, "series", f"by setting: {' … '.join(dict.fromkeys([sources[0], sources[-1]]))}")
    return None
