"""Check the setting `encoders` against the towers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sensorium.config import Choice, Config
from sensorium.errors import ConfigError, did_you_mean
from sensorium.model._blueprint import TowerPlan
from sensorium.model._tower_settings import listed_columns
from sensorium.registry import encoders, modalities
from sensorium.registry.choices import encoders_for
from sensorium.registry.weights import weights_of


def check_accepts(tower: TowerPlan, kinds: Sequence[str]) -> None:
    """Raise ConfigError if an encoder does not take the modalities of its tower, or not several columns.

    Args:
        tower: the tower, with the options in the settings.
        kinds: modalities that its encoder must take.
    """
    encoder, columns = tower.encoder, len(tower.columns)
    entry = encoders.entry(encoder)
    accepts, joint = entry.literal("ACCEPTS", ()), entry.literal("JOINT", False)
    wrong = sorted(set(kinds) - set(accepts))
    if wrong:
        fitting = encoders_for(kinds)
        weights = weights_of(encoder, tower.options) if tower.options else None
        shown = f"encoder {encoder!r} with the weights {weights.name!r}" if weights else f"encoder {encoder!r}"
        raise ConfigError(
            f"{shown} does not take {', '.join(wrong)}",
            place=f"tower {tower.name!r}",
            rule=f"it takes {', '.join(accepts)}",
            cure=f"one of: {', '.join(fitting)}"
            if fitting
            else "put the columns in different towers: one encoder must support all columns of a tower",
        )
    if columns > 1 and not joint:
        raise ConfigError(
            f"encoder {encoder!r} encodes one column, not {columns}",
            place=f"tower {tower.name!r}",
            cure="give each column a separate tower, or choose another encoder",
        )


def check_agreement(tower: str, kinds: Sequence[str], config: Config) -> None:
    """Raise ConfigError if two encoders are set for one tower, by modality."""
    chosen = {kind: choice.name for kind in kinds if (choice := config.encoders.get(kind)) and choice.name}
    if len(set(chosen.values())) > 1 and not (config.encoders.get(tower) or Choice()).name:
        found = ", ".join(f"encoders.{kind} is {name!r}" for kind, name in chosen.items())
        raise ConfigError(
            f"columns that are encoded together have different encoders: {found}",
            place=f"tower {tower!r}",
            rule="a tower has one encoder",
            cure=f"set encoders.{tower}, or put the columns into separate towers (towers)",
        )


def check_keys(config: Config, towers: Sequence[TowerPlan], kinds: Mapping[str, str]) -> None:
    """Raise ConfigError if a key of `encoders` names nothing, or only a part of a tower."""
    names = {*modalities.names(), *(tower.name for tower in towers)}
    known = {*names, *kinds}
    for key, choice in config.encoders.items():
        if key not in known:
            raise ConfigError(
                f"there is no column, tower or modality {key!r}", place=f"encoders.{key}", cure=did_you_mean(key, known)
            )
        if choice.name:
            encoders.entry(choice.name)
        for tower in towers:
            if key not in names and key in tower.columns and len(tower.columns) > 1:
                raise _shares_tower(key, tower)


def _shares_tower(column: str, tower: TowerPlan) -> ConfigError:
    beside = listed_columns([other for other in tower.columns if other != column])
    return ConfigError(
        f"column {column!r} cannot have a separate encoder: tower {tower.name!r} encodes it together with {beside}",
        place=f"encoders.{column}",
        rule="a tower has one encoder",
        cure=f"give the column a separate tower, towers={{{column!r}: [{column!r}]}}, or set encoders.{tower.name}",
    )
