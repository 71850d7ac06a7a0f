"""Settings that few rows ask for, where the user has not set them."""

from __future__ import annotations

from typing import Any

from sensorium.config import TrainConfig
from sensorium.registry import techniques

FEW = 600  # training rows up to which they are few
# Few validation rows make a metric that jumps: patience must outlast it. What fits by heart must not become too sure.
PATIENCE = 20
SMOOTHING: dict[str, dict[str, Any]] = {"label_smoothing": {}}


def with_preset(config: TrainConfig, rows: int, task: str) -> TrainConfig:
    """The settings with what `preset` says, under those that were set by hand.

    Args:
        config: as the user set it.
        rows: training rows.
        task: registered name.
    """
    if config.preset == "none" or (config.preset == "auto" and rows > FEW):
        return config
    wanted: dict[str, Any] = {"patience": PATIENCE}
    if task in techniques.entry("label_smoothing").literal("TASKS"):
        wanted["techniques"] = SMOOTHING
    return config.model_copy(update={key: value for key, value in wanted.items() if key not in config.model_fields_set})
