"""Check the setting `towers`: each tower has columns, and a name that stands for no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sensorium.config import Config
from sensorium.errors import ConfigError, raise_together

if TYPE_CHECKING:
    from sensorium.modalities import Modality

SHOWN = 3  # columns in a message


def check_towers(config: Config, learnt: Mapping[str, Modality]) -> None:
    """Check that the towers of the settings are those that are built.

    Args:
        config: the settings.
        learnt: used column → its modality.

    Raises:
        ConfigError: a tower has no columns, no name, a column that is not used or has another tower, or the name of
            other columns. The error lists all of them.
    """
    raise_together([*_empty(config), *_without_use(config), *_twice(config), *_of_others(config, learnt)])


def _empty(config: Config) -> Iterator[ConfigError]:
    for tower, columns in config.towers.items():
        if not tower.strip():
            yield ConfigError(
                "a tower has no name", place="towers", cure="give it a name: towers={'name': [COLUMN, …]}"
            )
        if not columns:
            cure = f"list its columns, or remove towers.{tower}"
            yield ConfigError(f"tower {tower!r} has no columns", place=f"towers.{tower}", cure=cure)


def _without_use(config: Config) -> Iterator[ConfigError]:
    roles = dict.fromkeys(config.exclude, "is excluded") | {config.target: "is the target"}
    for tower, columns in config.towers.items():
        for column in columns:
            if column in roles:
                finding = f"column {column!r} of tower {tower!r} {roles[column]}"
                cure = f"remove it from towers.{tower}"
                yield ConfigError(finding, place=f"towers.{tower}", rule="a tower encodes features", cure=cure)


def _twice(config: Config) -> Iterator[ConfigError]:
    """Yield an error for each column that a tower lists twice, or that is in two towers."""
    owner: dict[str, str] = {}
    for tower, columns in config.towers.items():
        for column in sorted({column for column in columns if columns.count(column) > 1}):
            finding, cure = f"tower {tower!r} lists column {column!r} twice", "list it once"
            yield ConfigError(finding, place=f"towers.{tower}", cure=cure)
        for column in columns:
            if owner.setdefault(column, tower) != tower:
                yield ConfigError(
                    f"column {column!r} is in two towers: {owner[column]!r} and {tower!r}",
                    place="towers",
                    rule="each column has one tower",
                    cure=f"remove it from towers.{tower}",
                )


def _of_others(config: Config, learnt: Mapping[str, Modality]) -> Iterator[ConfigError]:
    """A tower with the name that other columns have as a tower would take them in, or replace them."""
    inside = {column for columns in config.towers.values() for column in columns}
    names = {column: {column, modality.tower} for column, modality in learnt.items() if column not in inside}
    for tower in config.towers:
        others = [column for column, own in names.items() if tower in own]
        if others:
            whose = f"column {tower!r}" if others == [tower] else f"the tower of {listed_columns(others)}"
            yield ConfigError(
                f"the name {tower!r} is taken by {whose}",
                place=f"towers.{tower}",
                rule="a tower may have the name of a column or of another tower only if it lists these columns",
                cure=f"choose another name, or add {listed_columns(others)} to its columns",
            )
        elif tower in learnt and tower not in config.towers[tower]:
            yield ConfigError(
                f"tower {tower!r} has the name of a column of another tower",
                place=f"towers.{tower}",
                rule="a tower may have the name of a column only if it lists that column",
                cure="choose another name",
            )


def listed_columns(columns: Iterable[str]) -> str:
    """Name the first columns in a message."""
    names = [repr(column) for column in columns]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
