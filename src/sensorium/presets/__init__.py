"""Presets: how much `fit` trains, from one network to a blended model. One file per preset."""

from sensorium.presets._base import Preset
from sensorium.presets._choose import ChosenPreset, check_preset, choose_preset
from sensorium.presets._setup import FitSetup

__all__ = ["ChosenPreset", "FitSetup", "Preset", "check_preset", "choose_preset"]
