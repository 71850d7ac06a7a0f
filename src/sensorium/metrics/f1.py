"""Harmonic mean of precision and recall of the positive class."""

from sensorium.metrics._base import Counts, Floats, Outcome

TASKS = ("binary",)


def f1(outcome: Outcome, weights: Floats) -> Floats:
    return Counts.of(outcome, weights).f1()[:, 1]
