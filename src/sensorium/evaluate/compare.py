"""Test whether one model is better than another on the same rows, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sensorium.evaluate.bootstrap import group_resamples, interval_around, pick_runs, resamples
from sensorium.evaluate.scores import resamples_of, score_runs
from sensorium.metrics import Difference, Outcome, direction, score
from sensorium.table import Floats, Rows


def compare_outcomes(first: Outcome, second: Outcome, metric: str, seed: int = 0) -> Difference:
    """Compare two models by a paired bootstrap over the rows that both predicted, in the same order."""
    return compare_runs([first], [second], metric, seed)


def compare_runs(first: Sequence[Outcome], second: Sequence[Outcome], metric: str, seed: int = 0) -> Difference:
    """Compare the means over several runs of each model; rows (or groups) are resampled jointly, runs separately."""
    sign = direction(metric)
    means = [np.mean([score(metric, run)[0] for run in runs]) for runs in (first, second)]
    value, random, blocks = sign * float(means[0] - means[1]), np.random.default_rng(seed), []
    for weights in resamples_of(first[0], seed):
        one, other = (
            score_runs(metric, runs, weights, pick_runs(len(runs), len(weights), random)) for runs in (first, second)
        )
        blocks.append(one - other)
    return difference_of(metric, value, sign * np.concatenate(blocks))


def compare_losses(
    first: Floats, second: Floats, metric: str, *, groups: Rows | None = None, seed: int = 0
) -> Difference:
    """Compare the mean losses of two models by a paired bootstrap, with the draws of `compare_outcomes`.

    Args:
        first, second: float64[n], the loss of each row.
        metric: registered name of the mean; lower is better.
        groups: int64[n], group of each row; groups are resampled as a whole. None if the rows are independent.
        seed: random seed of the bootstrap.
    """
    draws = resamples(len(first), seed=seed) if groups is None else group_resamples(groups, seed=seed)
    with np.errstate(invalid="ignore"):  # a single group cannot be resampled
        drawn = np.concatenate([weights @ (second - first) / weights.sum(1) for weights in draws])
    return difference_of(metric, float((second - first).mean()), drawn)


def difference_of(metric: str, value: float, drawn: Floats) -> Difference:
    """Return a difference with the interval and p-value of its bootstrapped values."""
    return Difference(metric, value, interval_around(drawn, value), two_sided(drawn[np.isfinite(drawn)]))


def two_sided(drawn: Floats) -> float:
    """Compute a two-sided p-value: twice the smaller share of draws on one side of 0; never 0, NaN without draws."""
    if not len(drawn):
        return float("nan")
    tail = min((drawn <= 0).mean(), (drawn >= 0).mean())
    return float(min(1.0, 2 * max(tail, 1 / (len(drawn) + 1))))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Correct p-values for the number of comparisons (Holm 1979).

    A NaN, from a comparison that could not be made, stays NaN and is not counted.
    """
    corrected = [float("nan")] * len(probabilities)
    order = [place for place in np.argsort(probabilities, kind="stable") if math.isfinite(probabilities[place])]
    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, probabilities[place] * (len(order) - rank)))
        corrected[place] = least
    return corrected
