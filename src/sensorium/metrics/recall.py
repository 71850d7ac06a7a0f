"""Share of the positive rows that are predicted positive."""

from sensorium.metrics._base import Counts, Floats, Outcome, divide

TASKS = ("binary",)


def recall(outcome: Outcome, weights: Floats) -> Floats:
    counts = Counts.of(outcome, weights)
    return divide(counts.right[:, 1], counts.true[:, 1])
