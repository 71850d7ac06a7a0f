"""ONE FILE PER TECHNIQUE: what training can do in addition to the plain step."""

from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import Rows, TrainingContext
from sensorium.techniques._diagnosis import GAP, Diagnosis, remedies_of, skill
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
    "Diagnosis",
    "Rows",
    "Step",
    "Technique",
    "TrainingContext",
    "build_techniques",
    "check_techniques",
    "chosen_techniques",
    "fitting",
    "learn_from_unlabelled",
    "remedies_of",
    "skill",
    "without_teacher",
]
