"""Choose the decision thresholds of a calibrated model, and apply them to its outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from sensorium.evaluate.thresholds import (
    DecisionThresholds,
    choose_target_thresholds,
    decided_outcome,
    with_chosen_thresholds,
)
from sensorium.model import FittedModel
from sensorium.model.card import ThresholdRecord

if TYPE_CHECKING:
    from sensorium.config import Config
    from sensorium.planning import Plan
    from sensorium.table import Floats, Rows
    from sensorium.trials._result import TrialResult

ChosenBy: TypeAlias = Literal["validation", "out_of_fold"]


def decide_by(
    plan: Plan, fitted: FittedModel, scores: Floats, rows: Rows, chosen_by: ChosenBy = "validation"
) -> FittedModel:
    """Return the model with the decision thresholds of the setting `threshold`, and with the record of them.

    Args:
        plan: the plan of the table.
        fitted: the calibrated model.
        scores: its scores of rows that it did not learn from.
        rows: positions of these rows.
        chosen_by: what these rows are.
    """
    config, groups = fitted.config, None if plan.groups is None else plan.groups[rows]
    found = choose_target_thresholds(
        plan.task, scores, plan.target[rows], config.threshold_rule, seed=config.seed, groups=groups
    )
    if not found:
        return fitted
    task = with_chosen_thresholds(fitted.task, found)
    records = {name: _record(own, config, name, chosen_by) for name, own in found.items()}
    record = records[""] if "" in records else ThresholdRecord(targets=records)
    return replace(fitted, task=task, card=fitted.card.updated(threshold=record))


def _record(found: DecisionThresholds, config: Config, target: str, chosen_by: ChosenBy) -> ThresholdRecord:
    given = config.threshold[target] if isinstance(config.threshold, Mapping) else config.threshold
    rule_is_fixed = "fixed" in found.reasons
    by_rows = any(reason in ("chosen", "not_reached") for reason in found.reasons)
    return ThresholdRecord(
        rule=str(given),
        thresholds=found.thresholds,
        reasons=found.reasons,
        chosen_by=chosen_by if by_rows else None,
        rows=None if rule_is_fixed else found.rows,
        groups=None if rule_is_fixed else found.groups,
        measured={name: list(pair) for name, pair in found.measured.items()} or None,
    )


def decided(result: TrialResult) -> TrialResult:
    """Return a result whose outcomes have the decisions of the model.

    Until then, all decisions of a run are those of the default threshold, by which its models are compared.
    """
    task = result.model.task
    return replace(result, outcomes={split: decided_outcome(task, own) for split, own in result.outcomes.items()})
