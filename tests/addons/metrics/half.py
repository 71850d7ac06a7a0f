"""Half the accuracy."""

from sensorium.metrics.accuracy import accuracy

TASKS = ("binary", "multiclass", "parity")


def half(outcome, weights):
    return accuracy(outcome, weights) / 2
