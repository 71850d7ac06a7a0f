"""Settings about columns, indexed by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sensorium.config import Choice, Config, spelt_words
from sensorium.schema._split_column import split_column
from sensorium.table import Column, Table, without_codes

CONVENTIONS = ("decimal", "thousands", "currency", "missing", "censored", "day_first")  # options: how cells are written


@dataclass(frozen=True)
class ColumnSettings:
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
    def of(cls, table: Table, config: Config) -> ColumnSettings:
        only = None if config.columns is None else frozenset(config.columns)
        return cls(config, roles_of(table, config), only, frozenset(config.exclude), asked_views(table, config))

    def asks_for(self, name: str) -> bool:
        """Return whether the settings name the column, so that it is used in any case."""
        by_towers = any(name in tower for tower in self.config.towers.values())
        return name in (self.only or ()) or name in self.config.modalities or by_towers


def as_set(column: Column, config: Config) -> Column:
    """Apply the column's own options for numbers and dates, and empty the cells that stand for a missing value."""
    own, dates = (config.modalities.get(key, Choice()).options for key in (column.name, "date"))
    options = {name: value for name, value in own.items() if name in CONVENTIONS}
    if "day_first" in dates:
        options.setdefault("day_first", dates["day_first"])
    if "missing" in options:
        words = spelt_words(options["missing"])  # the modality refuses others than text, with its other options
        options["missing"] = [word for word in words if isinstance(word, str)]
        column = without_codes(column, options["missing"])
    return replace(column, conventions=column.conventions.given(**options)) if options else column


def asked_views(table: Table, config: Config) -> dict[str, list[str]]:
    """Return column → names of its views that the settings mention."""
    in_towers = (name for tower in config.towers.values() for name in tower)
    named = dict.fromkeys([*(config.columns or []), *config.modalities, *in_towers])
    columns, views = frozenset(table.columns), dict[str, list[str]]()
    for name in named:
        owner, _, view = name.rpartition(".")
        if name not in columns and owner in columns:
            views.setdefault(owner, []).append(view)
    return views


def roles_of(table: Table, config: Config) -> dict[str, str]:
    """Return the columns that have another role than being a feature."""
    roles = {config.split.group: "keeps rows together in a split", split_column(table, config): "names the split"}
    roles |= dict.fromkeys(config.split.span or (), "marks the time span of a row")
    roles[config.target] = "the target"
    return {name: role for name, role in roles.items() if name is not None}
