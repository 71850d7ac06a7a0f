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
from sensorium.runtime.progress import duration_text
from sensorium.schema import Schema

TUNED_ROWS = 500  # labelled rows up to which a CPU fine-tunes backbones; with more, they stay frozen
LARGE_ROWS = 5000  # labelled rows from which a CPU gets the smaller backbone
FEATURE_SECONDS = 25.0  # that an ordinary CPU may compute features of frozen backbones by estimate, in preset `good`
TEXTS = 200  # cells whose language is examined, and whose words are counted
LONGEST = 400  # words of a text that a backbone reads, by its limit of 512 tokens


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
    """Return the best backbones of the columns whose encoder the settings do not name, also those that cannot be used.

    Columns with the same backbone share an entry.
    """
    on_cpu, found = pick_device(config.device).type == "cpu", _Chosen()
    for plan in _free(schema.columns, config):
        weights = _best_weights(plan, schema, on_cpu=on_cpu)
        few = int(schema.labels.present.sum()) <= TUNED_ROWS
        tune = BACKBONES[str(plan.modality)].tune if few or not on_cpu else "frozen"
        if tune == "frozen" and _is_augmented(plan, config):
            continue
        found.add(plan.name, weights, tune, _unsuited(weights, schema, plan.name) or _missing(weights))
    return found.records


def choose_quick_backbones(schema: Schema, config: Config) -> list[BackboneRecord]:
    """Return frozen backbones of the same columns whose features take `FEATURE_SECONDS` at most, and the others.

    The time is estimated from the number of words or images: the choice is the same on every machine. Where the larger
    backbones are not quick enough for all columns together, or not installed, the smaller ones are chosen.
    """
    on_cpu, found = pick_device(config.device).type == "cpu", _Chosen()
    plans = [plan for plan in _free(schema.columns, config) if not _is_augmented(plan, config)]
    sizes = {plan.name: _count_items(schema, plan) for plan in plans}
    left, whole = FEATURE_SECONDS, sum(sizes[plan.name] / _larger(plan).per_second for plan in plans)
    for plan in plans:
        smaller = _named(BACKBONES[str(plan.modality)].small)
        offered = [_larger(plan), smaller] if whole <= FEATURE_SECONDS else [smaller]
        quick = [weights for weights in offered if sizes[plan.name] / weights.per_second <= left]
        slow = _best_weights(plan, schema, on_cpu=on_cpu)
        weights = next((each for each in quick if each.is_usable), quick[0] if quick else slow)
        seconds = sizes[plan.name] / weights.per_second
        reason = _unsuited(weights, schema, plan.name)
        if not reason and not quick:
            reason = f"computing its features would take about {duration_text(seconds)}: preset best uses it"
        left -= 0.0 if reason else seconds
        found.add(plan.name, weights, "frozen", reason or _missing(weights))
    return found.records


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


def _is_augmented(plan: ColumnPlan, config: Config) -> bool:
    """Return whether the cells of a column change at each step, so that their features cannot be computed once."""
    return bool({plan.name, plan.modality} & config.augment.keys())


def _best_weights(plan: ColumnPlan, schema: Schema, *, on_cpu: bool) -> Weights:
    """Return the weights that suit a column best, whatever they cost: smaller ones with many rows on a CPU."""
    is_large = on_cpu and int(schema.labels.present.sum()) > LARGE_ROWS
    return _named(BACKBONES[str(plan.modality)].small) if is_large else _larger(plan)


def _larger(plan: ColumnPlan) -> Weights:
    return _named(BACKBONES[str(plan.modality)].weights)


def _named(name: str) -> Weights:
    weights = weights_called(name)
    assert weights is not None
    return weights


def _unsuited(weights: Weights, schema: Schema, column: str) -> str:
    """Return why weights do not suit a column; empty if they do."""
    if weights.language == "English" and not is_english(_texts(schema, column)):
        return f"the texts do not look {weights.language}, the language that it was trained on"
    return ""


def _missing(weights: Weights) -> str:
    """Return how to install weights; empty if they are installed."""
    return "" if weights.is_usable else f"it is not installed: {weights.install}"


def _texts(schema: Schema, column: str) -> list[str]:
    cells = schema.table.column(column).sample(TEXTS)
    return ["\n".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in cells]


def _count_items(schema: Schema, plan: ColumnPlan) -> float:
    """Return the number of images, or of words by the mean of a sample, in the labelled rows of a column."""
    if _unsuited(_larger(plan), schema, plan.name):
        return 0.0
    rows = int((schema.labels.present & schema.table.column(plan.name).present).sum())
    if plan.modality != "text":
        return rows
    words = [min(len(text.split()), LONGEST) for text in _texts(schema, plan.name)]
    return rows * sum(words) / max(1, len(words))


class _Chosen:
    """Records of backbones; columns with the same backbone and reason share one."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str, str, str], list[str]] = {}

    def add(self, column: str, weights: Weights, tune: str, unused: str) -> None:
        self._columns.setdefault((weights.name, weights.licence, tune, unused), []).append(column)

    @property
    def records(self) -> list[BackboneRecord]:
        return [
            BackboneRecord(weights=name, licence=licence, tune=tune, columns=columns, unused=unused)
            for (name, licence, tune, unused), columns in self._columns.items()
        ]
