"""Check that a plan has what a strategy or a comparison needs."""

from __future__ import annotations

from sensorium.config import set_both
from sensorium.errors import ConfigError
from sensorium.planning._plan import Plan


def check_several_modalities(plan: Plan, place: str) -> None:
    """Check that there are at least two modalities.

    Args:
        plan: the plan.
        place: setting or table that an error names.

    Raises:
        ConfigError: there is only one modality.
    """
    if len(plan.towers) < 2:
        finding, rule = f"there is only one modality: {plan.towers[0]}", "at least two modalities"
        raise ConfigError(finding, place=place, rule=rule)


def check_validation_rows(plan: Plan, place: str) -> None:
    """Check that there are validation rows, which select a model.

    Raises:
        ConfigError: there are no validation rows.
    """
    if not len(plan.rows("validation")):
        cure = set_both("split.validation", 0.1)
        raise ConfigError("there are no validation rows to select a model", place=place, cure=cure)
