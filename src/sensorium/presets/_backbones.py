"""Choose pretrained backbones by modality, language, number of rows and device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sensorium.config import Config
from sensorium.findings import ColumnPlan
from sensorium.model import pick_device
from sensorium.model.card import BackboneRecord
from sensorium.presets._language import is_english
from sensorium.registry.weights import Weights, weights_called
from sensorium.schema import Schema

TUNED_ROWS = 500  # labelled rows up to which a CPU fine-tunes backbones; with more, they stay frozen
LARGE_ROWS = 5000  # labelled rows from which a CPU gets the smaller backbone
TEXTS = 200  # cells whose language is examined


class Backbone(NamedTuple):
    """Backbone of a modality.

    Attributes:
        weights: short name of the weights.
        small: short name of those for many rows on a CPU.
        tune: what of it is trained, where that is affordable.
    """

    weights: str
    small: str
    tune: str


# None for sounds: the packaged weights know voices only. None for documents: their language is unknown at this point.
BACKBONES = {
    "text": Backbone("minilm", "minilm", "lora"),
    "image": Backbone("efficientnet_lite2", "efficientnet_lite0", "full"),
}


def choose_backbones(schema: Schema, config: Config) -> list[BackboneRecord]:
    """Return the backbones of the columns whose encoder the settings do not name, also those that cannot be used.

    Columns with the same backbone share an entry.
    """
    rows = int(schema.labels.present.sum())
    on_cpu = pick_device(config.device).type == "cpu"
    found: dict[tuple[str, ...], list[str]] = {}
    for plan in _free(schema.columns, config):
        choice = BACKBONES[str(plan.modality)]
        weights = weights_called(choice.small if on_cpu and rows > LARGE_ROWS else choice.weights)
        assert weights is not None
        tune = choice.tune if rows <= TUNED_ROWS or not on_cpu else "frozen"
        entry = (weights.name, weights.licence, tune, _unusable(weights, schema, plan.name))
        found.setdefault(entry, []).append(plan.name)
    return [
        BackboneRecord(weights=name, licence=licence, tune=tune, columns=columns, unused=unused)
        for (name, licence, tune, unused), columns in found.items()
    ]


def encoder_settings(backbones: Sequence[BackboneRecord]) -> dict[str, Any]:
    """Return the settings that select backbones: encoders by column."""
    used = [each for each in backbones if not each.unused]
    encoders = {column: {"name": each.weights, "tune": each.tune} for each in used for column in each.columns}
    return {"encoders": encoders} if encoders else {}


def _free(columns: Sequence[ColumnPlan], config: Config) -> Iterator[ColumnPlan]:
    """Yield the columns of these modalities that have no encoder or tower in the settings."""
    in_towers = {column for tower in config.towers.values() for column in tower}
    named = config.encoders.keys() | in_towers
    return (plan for plan in columns if plan.modality in BACKBONES and not {plan.name, plan.modality} & named)


def _unusable(weights: Weights, schema: Schema, column: str) -> str:
    """Return why weights are not used for a column; empty if they are."""
    if weights.language == "English":
        cells = schema.table.column(column).sample(TEXTS)
        texts = ["\n".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in cells]
        if not is_english(texts):
            return f"the texts do not look {weights.language}, the language that it was trained on"
    return "" if weights.is_usable else f"it is not installed: {weights.install}"
