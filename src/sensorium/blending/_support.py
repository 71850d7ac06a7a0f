"""Check that a table and its settings support a blend."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sensorium.blending._blend import needs_fold, planned_folds
from sensorium.blending._networks import has_validation_rows
from sensorium.blending._time import FEWEST, FOLDS
from sensorium.config import Config
from sensorium.errors import ConfigError, SchemaError
from sensorium.planning import Plan, cut_folds
from sensorium.train import validating_settings

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
        ConfigError: a setting or several targets conflict with a blend, the rows cannot be cut into folds, or a setting
            needs validation rows that a fold lacks.
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
    settings = validating_settings(plan.config.train)
    if settings and _lacks_validation(plan):
        raise ConfigError(
            f"{settings[0]} needs validation rows, which a network of the blend lacks",
            place=settings[0],
            rule="each fold learns from some validation rows, which earlier periods have not",
            cure=f"{cure}, or remove the setting",
        )


def _lacks_validation(plan: Plan) -> bool:
    """Return whether a fold of the networks learns from no validation row, as the first ones in order of time."""
    if needs_fold(plan):
        return False
    return not all(has_validation_rows(plan, fold) for count in (FOLDS[0], FEWEST) for fold in cut_folds(plan, count))


def _value(config: Config, name: str) -> Any:
    section, _, setting = name.partition(".")
    return getattr(getattr(config, section), setting)
