"""ONE FILE PER METHOD: a model is adapted to another domain's rows without their labels."""

from sensorium.adaptation._adapt import DEFAULT, adapt_bundle
from sensorium.adaptation._base import Adaptation, Unlabelled

__all__ = ["DEFAULT", "Adaptation", "Unlabelled", "adapt_bundle"]
