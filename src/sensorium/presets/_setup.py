"""Preset, request and strategies of a fit; the simplest preset replaces one that does not support the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sensorium.config import Config
from sensorium.errors import ConfigError
from sensorium.planning import Plan, Settle
from sensorium.presets._choose import ChosenPreset, choose_preset
from sensorium.registry.defaults import SIMPLEST_PRESET
from sensorium.schema import Schema
from sensorium.strategies import Request, Strategy, check_strategies, choose_strategies


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

    def plan(self, make: MakePlan) -> tuple[FitSetup, Plan]:
        """Plan the fit and check the plan; return it, and the setup that supports it.

        If the default preset does not support the table, the simplest one replaces it.

        Args:
            make: makes the plan.

        Raises:
            SensoriumError: a setting cannot be used with the table.
        """
        changed = False

        def settle(schema: Schema, config: Config) -> Config:
            nonlocal changed
            settled = self.preset.settle(schema, config)
            changed = settled is not config
            return settled

        plan = make(self.request.config, settle=settle)
        try:
            check_strategies([strategy for strategy in self.strategies if strategy.STAGE == "train"], plan)
        except ConfigError as error:
            if self.preset.is_given or self.preset.name == SIMPLEST_PRESET:
                raise
            simple = self._with(self.preset.simplest(error.finding), self.request)
            return simple.plan(make if changed else _Made(plan))
        check_strategies([strategy for strategy in self.strategies if strategy.STAGE != "train"], plan)
        return self, replace(plan, preset=self.preset.to_record())


@dataclass(frozen=True)
class _Made:
    """Plan that another preset made without changing a setting."""

    made: Plan

    def __call__(self, config: Config, /, *, settle: Settle) -> Plan:
        return replace(self.made, config=self.made.config.model_copy(update={"preset": config.preset}))
