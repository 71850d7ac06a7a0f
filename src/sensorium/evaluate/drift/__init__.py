"""Measure distribution shift: how columns, weights, predictions and metrics changed in another domain."""

from sensorium.evaluate.drift.columns import measure_column_shift, sketch_columns
from sensorium.evaluate.drift.predictions import measure_metric_shift, measure_prediction_shift
from sensorium.evaluate.drift.weights import measure_weight_shift

__all__ = [
    "measure_column_shift",
    "measure_metric_shift",
    "measure_prediction_shift",
    "measure_weight_shift",
    "sketch_columns",
]
