"""Choose pretrained backbones by modality, language, number of rows and device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sensorium.config import Config, set_value
from sensorium.findings import ColumnPlan
from sensorium.model import pick_device
from sensorium.model.card import BackboneRecord
from sensorium.presets._language import are_sentences, is_english
from sensorium.registry.defaults import BACKBONES
from sensorium.registry.weights import Weights, weights_called
from sensorium.schema import Schema

TUNED_ROWS = 500  # labelled rows up to which a CPU fine-tunes backbones; with more, they stay frozen
LARGE_ROWS = 5000  # labelled rows from which a CPU gets the smaller backbone
TEXTS = 200  # cells whose language is examined


def choose_backbones(schema: Schema, config: Config) -> list[BackboneRecord]:
    """Return the best backbones of the columns whose encoder the settings do not name, also those that cannot be used.

    Columns with the same backbone share an entry.
    """
    on_cpu, found = is_on_cpu(config), ChosenBackbones()
    for plan in free_columns(schema.columns, config):
        weights = best_weights(plan, schema, on_cpu=on_cpu)
        few = int(schema.labels.present.sum()) <= TUNED_ROWS
        tune = BACKBONES[str(plan.modality)].tune if few or not on_cpu else "frozen"
        if tune == "frozen" and is_augmented(plan, config):
            continue
        found.add(plan.name, weights, tune, why_unsuited(weights, schema, plan.name) or how_to_install(weights))
    return found.records


def is_on_cpu(config: Config) -> bool:
    """Return whether networks are trained without an accelerator."""
    return pick_device(config.device).type == "cpu"


def encoder_settings(backbones: Sequence[BackboneRecord]) -> dict[str, Any]:
    """Return the settings that select backbones: encoders by column."""
    used = [each for each in backbones if not each.unused]
    encoders = {column: {"name": each.weights, "tune": each.tune} for each in used for column in each.columns}
    return {"encoders": encoders} if encoders else {}


def free_columns(columns: Sequence[ColumnPlan], config: Config) -> Iterator[ColumnPlan]:
    """Yield the columns of these modalities that have no encoder or tower in the settings."""
    in_towers = {column for tower in config.towers.values() for column in tower}
    named = config.encoders.keys() | in_towers
    return (plan for plan in columns if plan.modality in BACKBONES and not {plan.name, plan.modality} & named)


def is_augmented(plan: ColumnPlan, config: Config) -> bool:
    """Return whether the cells of a column change at each step, so that their features cannot be computed once."""
    return bool({plan.name, plan.modality} & config.augment.keys())


def best_weights(plan: ColumnPlan, schema: Schema, *, on_cpu: bool) -> Weights:
    """Return the weights that suit a column best, whatever they cost: smaller ones with many rows on a CPU."""
    is_large = on_cpu and int(schema.labels.present.sum()) > LARGE_ROWS
    return smaller_weights(plan) if is_large else larger_weights(plan)


def smaller_weights(plan: ColumnPlan) -> Weights:
    """Return the weights for many rows on a CPU."""
    return _weights(BACKBONES[str(plan.modality)].small)


def larger_weights(plan: ColumnPlan) -> Weights:
    """Return the weights for few rows, or an accelerator."""
    return _weights(BACKBONES[str(plan.modality)].weights)


def _weights(name: str) -> Weights:
    weights = weights_called(name)
    assert weights is not None
    return weights


def why_unsuited(weights: Weights, schema: Schema, column: str) -> str:
    """Return why weights do not suit a column; empty if they do."""
    if not weights.language:
        return ""
    texts, reason = sample_texts(schema, column), ""
    if weights.language == "English" and not is_english(texts):
        reason = f"the texts do not look {weights.language}, the language that it was trained on"
    elif not are_sentences(texts):
        reason = "few of the texts are sentences, and counted words suit titles and keywords better"
    use = f"name a preset and {set_value(f'encoders.{column}', weights.name)}"
    return f"{reason}; to use it, {use}" if reason else ""


def how_to_install(weights: Weights) -> str:
    """Return how to install weights; empty if they are installed."""
    return "" if weights.is_usable else f"it is not installed: {weights.install}"


def sample_texts(schema: Schema, column: str) -> list[str]:
    """Return some texts of a column."""
    cells = schema.table.column(column).sample(TEXTS)
    return ["\n".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in cells]


class ChosenBackbones:
    """Records of backbones; columns with the same backbone and reason share one."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str, str, str], list[str]] = {}

    def add(self, column: str, weights: Weights, tune: str, unused: str) -> None:
        """Add a column, how its backbone is tuned, and why it is not used; an empty reason if it is."""
        self._columns.setdefault((weights.name, weights.licence, tune, unused), []).append(column)

    @property
    def records(self) -> list[BackboneRecord]:
        """Return the entries of the model card."""
        return [
            BackboneRecord(weights=name, licence=licence, tune=tune, columns=columns, unused=unused)
            for (name, licence, tune, unused), columns in self._columns.items()
        ]
