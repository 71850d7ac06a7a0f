"""What moved when a model went on in another domain: its columns, its weights, its answers, its metrics."""

from sensorium.moved.answers import answers_moved, metrics_moved
from sensorium.moved.columns import columns_moved, sketch_columns
from sensorium.moved.weights import weights_moved

__all__ = ["answers_moved", "columns_moved", "metrics_moved", "sketch_columns", "weights_moved"]
