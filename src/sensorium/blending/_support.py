"""Check that a table and its settings support a blend."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sensorium.blending._blend import planned_folds
from sensorium.config import Config
from sensorium.errors import ConfigError, SchemaError
from sensorium.planning import Plan

# Settings that a blend does not support → the reason.
CONFLICTS: Mapping[str, str] = MappingProxyType(
    {
        "train.teacher": "a network learns from a teacher, classical models do not",
        "train.pretrain": "every fold would need its own pre-training",
        "prepare.stream": "classical models need the cells of all rows at once",
    }
)


def check_blend(plan: Plan, *, place: str, cure: str) -> None:
    """Check that a blend can be made of a planned table, before any file is decoded.

    Args:
        plan: the plan.
        place: the argument or setting that asks for the blend, for errors.
        cure: how to do without a blend.

    Raises:
        ConfigError: a setting or several targets conflict with a blend, or the rows cannot be cut into folds.
    """
    for name, reason in CONFLICTS.items():
        if _value(plan.config, name):
            raise ConfigError(f"{name} cannot be combined with a blend", place=name, rule=reason, cure=cure)
    if plan.task.targets:
        raise ConfigError(
            "a blend predicts one target, not several",
            place=place,
            rule="classical models predict one target each",
            cure=f"{cure}, or use each target by itself",
        )
    try:
        planned_folds(plan)
    except SchemaError as error:
        raise ConfigError(error.finding, place=error.place, rule=error.rule, cure=cure) from None


def _value(config: Config, name: str) -> Any:
    section, _, setting = name.partition(".")
    return getattr(getattr(config, section), setting)
