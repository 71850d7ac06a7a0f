"""ONE FILE PER METRIC: a function of weighted rows, so that a bootstrap only changes the weights."""

from sensorium.metrics._base import Outcome, Part, lower_is_better, metrics_of, score

__all__ = ["Outcome", "Part", "lower_is_better", "metrics_of", "score"]
