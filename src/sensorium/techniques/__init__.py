"""Techniques: additions to the plain training step. One file per technique."""

from sensorium.table import Rows
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._diagnosis import GAP, mitigations_for, skill
from sensorium.techniques._plan import (
    build_techniques,
    check_techniques,
    chosen_techniques,
    fitting,
    unlabelled_learners,
    validating_settings,
    without_teacher,
)

__all__ = [
    "GAP",
    "Rows",
    "Step",
    "Technique",
    "TrainingContext",
    "build_techniques",
    "check_techniques",
    "chosen_techniques",
    "fitting",
    "mitigations_for",
    "skill",
    "unlabelled_learners",
    "validating_settings",
    "without_teacher",
]
