"""Fit a column's modality."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sensorium.config import Choice, Config, check_options
from sensorium.findings import ColumnPlan
from sensorium.modalities import Modality
from sensorium.registry import modalities
from sensorium.table import Column


def learn_modality(
    plan: ColumnPlan, column: Column, config: Config, preferred_options: Mapping[str, object] = MappingProxyType({})
) -> Modality:
    """Fit a column's modality, with the options set for the modality and those set for the column (which win).

    Args:
        plan: plan of the column, with its modality.
        column: training rows.
        config: settings; `modalities` has the options.
        preferred_options: options that the column's encoder prefers, unless the settings set them.

    Raises:
        ConfigError: unknown options, wrong types.
    """
    assert plan.modality
    kind = modalities.load(plan.modality)
    options = modality_options(plan.name, plan.modality, config, preferred_options)
    checked = check_options(kind.learn, options, f"modality {plan.modality!r} of column {plan.name!r}")
    learnt: Modality = kind.learn(column, **checked)
    return learnt


def modality_options(column: str, modality: str, config: Config, preferred: Mapping[str, object]) -> dict[str, object]:
    """Return the options of a column's modality: those of the column win over those of the modality and the encoder."""
    return {**preferred, **_options(config, modality), **_options(config, column)}


def _options(config: Config, key: str) -> dict[str, object]:
    return config.modalities.get(key, Choice()).options
