"""ONE FILE PER TECHNIQUE: what training may do beside the plain step."""

from sensorium.techniques._base import Course, Step, Technique
from sensorium.techniques._diagnosis import GAP, mitigations_for, skill
from sensorium.techniques._plan import (
    build_techniques,
    check_techniques,
    chosen_techniques,
    fitting,
    learn_from_unlabelled,
    without_teacher,
)

__all__ = [
    "GAP",
    "Course",
    "Step",
    "Technique",
    "build_techniques",
    "check_techniques",
    "chosen_techniques",
    "fitting",
    "learn_from_unlabelled",
    "mitigations_for",
    "skill",
    "without_teacher",
]
