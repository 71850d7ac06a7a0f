"""Better defaults for few training rows: the setting `train.few_labels`."""

from __future__ import annotations

from typing import Any

from sensorium.config._train import TrainConfig
from sensorium.registry import techniques
from sensorium.registry.traits import suits

FEW = 600  # training rows: with these or fewer, the defaults for few labels apply
# With few validation rows the metric is noisy, which needs more patience; smoothing counters overconfidence.
PATIENCE = 20
SMOOTHING: dict[str, dict[str, Any]] = {"label_smoothing": {}}


def for_few_labels(config: TrainConfig, rows: int, task: str) -> TrainConfig:
    """Apply the defaults for few labels to the settings that the user has not set."""
    return config.model_copy(update=few_label_changes(config, rows, task))


def few_label_changes(config: TrainConfig, rows: int, task: str) -> dict[str, Any]:
    """Return what `train.few_labels` changes: setting → value. Settings of the user stay as they are.

    Args:
        config: settings of the user.
        rows: number of training rows.
        task: registered name.
    """
    if config.few_labels == "none" or (config.few_labels == "auto" and rows > FEW):
        return {}
    wanted: dict[str, Any] = {"patience": PATIENCE}
    if suits(techniques.entry("label_smoothing").literal("TASKS"), task):
        wanted["techniques"] = SMOOTHING
    return {key: value for key, value in wanted.items() if key not in config.model_fields_set}
