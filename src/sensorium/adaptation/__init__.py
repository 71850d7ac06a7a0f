"""Methods of domain adaptation: adjust a fitted model to rows without labels. One file per method."""

from sensorium.adaptation._adapt import DEFAULT, adapt_fitted
from sensorium.adaptation._base import Adaptation, Unlabelled

__all__ = ["DEFAULT", "Adaptation", "Unlabelled", "adapt_fitted"]
