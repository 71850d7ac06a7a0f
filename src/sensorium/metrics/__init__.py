"""Metrics: functions of weighted rows, so that a bootstrap only changes the weights. One file per metric."""

from sensorium.metrics._base import (
    Outcome,
    Part,
    Terms,
    Trials,
    best_value,
    bias_of,
    default_metrics,
    direction,
    is_in_points,
    lower_is_better,
    metrics_of,
    rank_value,
    score,
    terms_of,
    trials_of,
    worst_value,
)
from sensorium.metrics._deviances import poisson_deviances
from sensorium.metrics._difference import CorrectedDifference, Difference
from sensorium.metrics._log_losses import SMALLEST, log_losses
from sensorium.metrics._means import safe_unit
from sensorium.metrics._pairs import has_many_classes

__all__ = [
    "SMALLEST",
    "CorrectedDifference",
    "Difference",
    "Outcome",
    "Part",
    "Terms",
    "Trials",
    "best_value",
    "bias_of",
    "default_metrics",
    "direction",
    "has_many_classes",
    "is_in_points",
    "log_losses",
    "lower_is_better",
    "metrics_of",
    "poisson_deviances",
    "rank_value",
    "safe_unit",
    "score",
    "terms_of",
    "trials_of",
    "worst_value",
]
