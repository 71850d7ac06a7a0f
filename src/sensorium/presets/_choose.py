"""Choose the preset of a fit: the one that is set, or the default one if it supports the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sensorium.config import Config, current_setting, named_settings, overlay, set_both
from sensorium.errors import ConfigError, UnknownNameError, raise_together
from sensorium.files.identity import flatten
from sensorium.model.card import PresetRecord
from sensorium.presets._backbones import encoder_settings
from sensorium.presets._base import Preset
from sensorium.registry import presets
from sensorium.registry.defaults import AUTO_PRESET, DEFAULT_PRESET, SIMPLEST_PRESET
from sensorium.schema import Schema
from sensorium.strategies import Budget, Request

# With `auto`, a setting that describes one network means that this network is trained.
OF_ONE_NETWORK = ("fusion", "encoders", "head", "towers", "train.techniques", "train.epochs")
FEW_LABELS = ("few", "none")  # values of `train.few_labels`, which was called `train.preset`


@dataclass(frozen=True)
class ChosenPreset:
    """Preset of a fit.

    Attributes:
        name: its registered name.
        preset: the preset.
        reason: why it is used, as the end of a sentence.
        is_given: whether the settings name it.
    """

    name: str
    preset: Preset
    reason: str
    is_given: bool = False

    @classmethod
    def called(cls, name: str, reason: str, *, is_given: bool = False, budget: Budget | None = None) -> ChosenPreset:
        """Return the preset of a name, for a fit with or without a time budget."""
        preset = presets.load(name)()
        if budget is not None:
            preset.budget = budget.seconds
        return cls(name, preset, reason, is_given)

    def applied(self, request: Request) -> Request:
        """Return the request with the strategy of the preset, and with its name in the settings."""
        config = request.config.model_copy(update={"preset": self.name})
        own = self.preset
        return replace(request, config=config, strategy=own.STRATEGY, networks=own.NETWORKS, patience=own.PATIENCE)

    def settle(self, schema: Schema, config: Config) -> tuple[Config, PresetRecord]:
        """Return the settings with those that the preset changes, and the entry of the model card."""
        backbones = list(self.preset.backbones(schema, config))
        settings = self.preset.settings(schema, config)
        own = flatten(settings)
        kept = named_settings(config, own)
        record = PresetRecord(
            name=self.name,
            reason=self.reason,
            settings={name: value for name, value in own.items() if name not in kept},
            backbones=backbones,
        )
        changes = overlay(settings, encoder_settings(backbones))
        if changes:
            config = Config.gather(changes, config.model_dump(mode="json", exclude_unset=True))
        return config, record

    def simplest(self, reason: str) -> ChosenPreset:
        """Return the simplest preset in place of this one, which cannot be used."""
        return ChosenPreset.called(SIMPLEST_PRESET, f"as {self.name} cannot be used: {reason}")


def choose_preset(request: Request) -> ChosenPreset:
    """Return the preset of a fit.

    Raises:
        UnknownNameError: there is no such preset.
        ConfigError: the settings name a preset that does not support other settings. The error lists all of these.
    """
    name = request.config.preset
    if name != AUTO_PRESET:
        check_preset(name)
        given = ChosenPreset.called(name, "as set", is_given=True, budget=request.budget)
        _refuse(name, given.preset.unsupported(request))
        return given
    named = [] if request.continues else named_settings(request.config, OF_ONE_NETWORK)  # else they are the model's
    if named:
        return ChosenPreset.called(SIMPLEST_PRESET, f"because these settings describe one network: {', '.join(named)}")
    default = ChosenPreset.called(DEFAULT_PRESET, "the default", budget=request.budget)
    unsupported = default.preset.unsupported(request)
    return default.simplest(_listed(unsupported)) if unsupported else default


def check_preset(name: str) -> None:
    """Check that a preset exists.

    Raises:
        UnknownNameError: there is none of this name.
    """
    try:
        presets.entry(name)
    except UnknownNameError as error:
        if name not in FEW_LABELS:
            raise UnknownNameError(error.finding, place="preset", cure=error.cure) from None
        old, new = "train.preset", current_setting("train.preset")
        finding = f"there is no preset {name!r}: the setting {old} was renamed {new}"
        raise UnknownNameError(finding, place="preset", cure=set_both(new, name)) from None


def _refuse(name: str, unsupported: Mapping[str, str]) -> None:
    cure = "remove one of them, or set preset to fast"
    raise_together(
        [
            ConfigError(f"{place} cannot be combined with the preset {name}", place=place, rule=reason, cure=cure)
            for place, reason in unsupported.items()
        ]
    )


def _listed(unsupported: Mapping[str, str]) -> str:
    return "; ".join(f"{place} is set ({reason})" for place, reason in unsupported.items())
