"""Records of the preset and its backbones on the model card."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import Any

from sensorium.model._record import Record


class BackboneRecord(Record):
    """Record of a pretrained backbone that a preset chose.

    Attributes:
        weights: short name of the weights.
        licence: their licence.
        tune: what of it is trained, as in the option `tune` of the encoder.
        columns: the columns that it encodes.
        unused: why it is not used for them; empty if it is.
    """

    weights: str
    licence: str
    tune: str
    columns: list[str]
    unused: str = ""


class PresetRecord(Record):
    """Record of the preset of a fit.

    Attributes:
        name: its registered name.
        reason: why it was used, as the end of a sentence.
        settings: setting that the preset changed, such as `train.epochs` → value.
        backbones: pretrained backbones.
    """

    name: str
    reason: str = ""
    settings: dict[str, Any] = {}
    backbones: list[BackboneRecord] = []
