"""Choose the encoder of a tower by the settings."""

from __future__ import annotations

from typing import Any

from sensorium.config import Choice, Config, check_options
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
