"""Tasks encode labels, compute the loss, and decode scores to labels as the user wrote them. One file per task."""

from sensorium.tasks._base import (
    EncodedTarget,
    Task,
    Temperature,
    prior_scores,
    selection_criterion,
    watched_metric,
)
from sensorium.tasks._checks import label_findings, no_known_label
from sensorium.tasks._classes import label_cells
from sensorium.tasks._infer import infer_task
from sensorium.tasks._learn import learn_task
from sensorium.tasks._pool import log_evidence, log_prior
from sensorium.tasks._rehearse import rehearse_task
from sensorium.tasks._thresholds import decides_by_default, thresholds_of, with_thresholds
from sensorium.tasks._value import Distribution, Value, is_value
from sensorium.tasks.several import targets_of

__all__ = [
    "Distribution",
    "EncodedTarget",
    "Task",
    "Temperature",
    "Value",
    "decides_by_default",
    "infer_task",
    "is_value",
    "label_cells",
    "label_findings",
    "learn_task",
    "log_evidence",
    "log_prior",
    "no_known_label",
    "prior_scores",
    "rehearse_task",
    "selection_criterion",
    "targets_of",
    "thresholds_of",
    "watched_metric",
    "with_thresholds",
]
