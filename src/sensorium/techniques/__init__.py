"""ONE FILE PER TECHNIQUE: what training may do beside the plain step."""

from sensorium.techniques._base import Course, Step, Technique
from sensorium.techniques._plan import build_techniques, check_techniques, chosen_techniques

__all__ = ["Course", "Step", "Technique", "build_techniques", "check_techniques", "chosen_techniques"]
