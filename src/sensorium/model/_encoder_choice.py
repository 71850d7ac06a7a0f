"""Options of a modality that the encoder in the settings requires."""

from __future__ import annotations

from typing import Any

from sensorium.config import Config, check_options
from sensorium.prepare import encoder_choice
from sensorium.registry import encoders, modalities


def preferred_modality_options(column: str, modality: str, config: Config) -> dict[str, Any]:
    """Return the modality options that the chosen encoder of a column requires, such as its tokenizer or image size.

    The result is empty if the settings name no encoder, one without requirements, or one for other modalities, which is
    an error of the tower.
    """
    tower = next((name for name, columns in config.towers.items() if column in columns), column)
    choice = encoder_choice(config, modality, column, tower)
    if choice.name is None:
        return {}
    kind = encoders.load(choice.name)
    if not hasattr(kind, "preferred_options"):
        return {}
    options = check_options(kind, choice.options, f"encoder {choice.name!r} of {tower!r}")
    preferred: dict[str, Any] = kind.preferred_options(options) if _fits(choice.name, modality) else {}
    return preferred


def _fits(encoder: str, modality: str) -> bool:
    accepted = encoders.entry(encoder).literal("ACCEPTS", ())
    return modality in accepted or getattr(modalities.load(modality), "encoder", "") == encoder
