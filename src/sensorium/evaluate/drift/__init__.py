"""Measure distribution shift: how columns, weights, predictions and metrics changed in another domain."""

from sensorium.evaluate.drift.answers import answers_moved, metrics_moved
from sensorium.evaluate.drift.columns import columns_moved, sketch_columns
from sensorium.evaluate.drift.weights import weights_moved

__all__ = ["answers_moved", "columns_moved", "metrics_moved", "sketch_columns", "weights_moved"]
