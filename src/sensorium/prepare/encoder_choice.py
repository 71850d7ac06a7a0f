"""Choose the encoder of a column by the settings, or by the number of rows and the length of its cells."""

from __future__ import annotations

from collections.abc import Mapping

from sensorium.config import Choice, Config, key_of, set_value
from sensorium.findings import Problem
from sensorium.modalities import EncoderAdvice, Modality
from sensorium.table import Column


def encoder_choice(config: Config, *keys: str) -> Choice:
    """Return the encoder in the settings; later keys override earlier ones."""
    choice = Choice()
    for key in keys:
        choice = _refine(choice, config.encoders.get(key))
    return choice


def _refine(choice: Choice, other: Choice | None) -> Choice:
    if other is None:
        return choice
    if other.name and other.name != choice.name:
        return other
    return Choice.model_validate({"name": choice.name, **choice.options, **other.options})


def advised_encoder(
    column: Column, kind: str, modality: Modality, config: Config, *, rows: int | None = None
) -> EncoderAdvice | None:
    """Return the encoder that suits a column better than the default of its modality; None if the default stays.

    Settings win: there is no advice for a column whose encoder (or an option of it) or augmentation is set, that shares
    a tower, or in a run with pre-training, which all need the default encoder or the cells themselves.

    Args:
        column: its training rows, or a sample of them.
        kind: registered name of its modality.
        modality: the modality, fitted on these rows.
        config: the settings.
        rows: number of training rows; by default those of `column`.
    """
    tower = next((name for name, columns in config.towers.items() if column.name in columns), column.name)
    choice = encoder_choice(config, kind, column.name, tower)
    shares = modality.tower is not None or len(config.towers.get(tower, ())) > 1
    is_set = choice.name is not None or choice.options or {column.name, kind} & config.augment.keys()
    if shares or is_set or config.train.pretrain:
        return None
    return modality.advise_encoder(column, len(column) if rows is None else rows)


def advice_finding(column: str, modality: Modality, advice: EncoderAdvice, unless: str = "") -> Problem:
    """Return the finding that a column has another encoder than the default, with the setting that changes it.

    Args:
        column: its name.
        modality: its modality.
        advice: the other encoder.
        unless: what would change it, as a clause; empty once a fit is planned.
    """
    return Problem(
        None,
        column,
        f"encoded by {advice.name}{unless and f' {unless}'}, not by {modality.encoder}: {advice.reason}",
        set_value(key_of("encoders", column), modality.encoder),
    )


def with_advice(config: Config, advice: Mapping[str, EncoderAdvice]) -> Config:
    """Return the settings with the advised encoder of each column."""
    if not advice:
        return config
    chosen = {column: Choice.of(own.name) for column, own in advice.items()}
    return config.model_copy(update={"encoders": {**config.encoders, **chosen}})
