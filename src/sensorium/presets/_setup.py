"""Preset, request and strategies of a fit; the simplest preset replaces one that does not support the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sensorium.config import Config, set_value
from sensorium.errors import ConfigError, list_names
from sensorium.model.card import PresetRecord
from sensorium.planning import Plan, Settle
from sensorium.presets._choose import ChosenPreset, choose_preset
from sensorium.registry.defaults import SIMPLEST_PRESET
from sensorium.runtime.progress import Reporter
from sensorium.schema import Schema
from sensorium.strategies import Request, Strategy, check_strategies, choose_strategies

TUNED = {"frozen": "frozen", "last": "last layers fine-tuned", "lora": "fine-tuned with LoRA", "full": "fine-tuned"}


class MakePlan(Protocol):
    """Function that makes the plan of settings, and completes these once the schema is known."""

    def __call__(self, config: Config, /, *, settle: Settle) -> Plan: ...


@dataclass(frozen=True)
class FitSetup:
    """How a fit trains.

    Attributes:
        preset: the preset.
        request: the settings and arguments, with those of the preset.
        strategies: the strategies, in the order in which they run.
    """

    preset: ChosenPreset
    request: Request
    strategies: Sequence[Strategy]

    @classmethod
    def of(cls, request: Request) -> FitSetup:
        """Choose preset and strategies, before the table is read.

        Raises:
            UnknownNameError: there is no such preset.
            ConfigError: settings conflict. The error lists all conflicts.
            MissingExtraError: a package is not installed.
        """
        return cls._with(choose_preset(request), request)

    @classmethod
    def _with(cls, preset: ChosenPreset, request: Request) -> FitSetup:
        request = preset.applied(request)
        return cls(preset, request, choose_strategies(request))

    def plan(self, make: MakePlan, report: Reporter) -> tuple[FitSetup, Plan]:
        """Plan the fit and check the plan; return it, and the setup that supports it, with complete settings.

        If the default preset does not support the table, the simplest one replaces it.

        Args:
            make: makes the plan.
            report: logs the preset with the reason, and the backbones.

        Raises:
            SensoriumError: a setting cannot be used with the table.
        """
        changed, settled = False, self.request.config
        record = PresetRecord(name=self.preset.name, reason=self.preset.reason)

        def settle(schema: Schema, config: Config) -> Config:
            nonlocal changed, settled, record
            settled, record = self.preset.settle(schema, config)
            changed = settled is not config
            return settled

        plan = make(self.request.config, settle=settle)
        try:
            check_strategies([strategy for strategy in self.strategies if strategy.STAGE == "train"], plan)
        except ConfigError as error:
            if self.preset.is_given or self.preset.name == SIMPLEST_PRESET:
                raise
            simple = self._with(self.preset.simplest(error.finding), self.request)
            return simple.plan(make if changed else _Made(plan), report)
        check_strategies([strategy for strategy in self.strategies if strategy.STAGE != "train"], plan)
        for line in _lines(record):
            report.log(line)
        request = replace(self.request, config=settled) if changed else self.request
        return replace(self, request=request), replace(plan, preset=record)


def _lines(record: PresetRecord) -> Iterator[str]:
    """Yield the preset and the reason, and a line per setting that it changed and per backbone."""
    yield f"preset: {record.name}, {record.reason}"
    for name, value in record.settings.items():
        yield f"{name}: {value}, from the preset; {set_value(name, '…')} replaces it"
    for own in record.backbones:
        columns, title = list_names(own.columns), f"{own.weights} ({own.licence})"
        if own.unused:
            yield f"? {columns}: the backbone {title} is not used, as {own.unused}"
        else:
            yield f"{columns}: backbone {title}, {TUNED[own.tune]}"


@dataclass(frozen=True)
class _Made:
    """Plan that another preset made without changing a setting."""

    made: Plan

    def __call__(self, config: Config, /, *, settle: Settle) -> Plan:
        return replace(self.made, config=self.made.config.model_copy(update={"preset": config.preset}))
