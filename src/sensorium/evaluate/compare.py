"""Is one model better than another on the same rows, and by how much?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sensorium.evaluate.bootstrap import Floats, interval, pick_runs, resamples
from sensorium.evaluate.evaluation import finite, score_runs
from sensorium.metrics import Outcome, lower_is_better, score

SHARE_METRICS = (
    "accuracy",
    "f1",
    "f1_macro",
    "f1_micro",
    "precision",
    "recall",
    "roc_auc",
    "average_precision",
    "mean_score",
)


@dataclass(frozen=True)
class Difference:
    """First model less second, on one metric.

    Attributes:
        metric: registered name.
        value: the difference; positive where the first is better, whatever the metric's direction.
        interval: bootstrap 95% interval, both models scored on the same resampled rows.
        p: two-sided bootstrap probability of a difference this far from 0, were there none.
    """

    metric: str
    value: float
    interval: tuple[float, float]
    p: float

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "metric": self.metric,
            "value": finite(self.value),
            "interval": [finite(low), finite(high)],
            "p": finite(self.p),
        }


def compare_outcomes(first: Outcome, second: Outcome, metric: str, seed: int = 0) -> Difference:
    """Paired bootstrap over rows that both models answered, in the same order."""
    return compare_runs([first], [second], metric, seed)


def compare_runs(first: Sequence[Outcome], second: Sequence[Outcome], metric: str, seed: int = 0) -> Difference:
    """Of the means over several runs of each model; rows are resampled for both alike, runs for each by itself."""
    sign = -1.0 if lower_is_better(metric) else 1.0
    means = [np.mean([score(metric, run)[0] for run in runs]) for runs in (first, second)]
    value, random, blocks = sign * float(means[0] - means[1]), np.random.default_rng(seed), []
    for weights in resamples(len(first[0]), seed=seed):
        one, other = (
            score_runs(metric, runs, weights, pick_runs(len(runs), len(weights), random)) for runs in (first, second)
        )
        blocks.append(one - other)
    drawn = sign * np.concatenate(blocks)
    return Difference(metric, value, interval(drawn), two_sided(drawn[np.isfinite(drawn)]))


def two_sided(drawn: Floats) -> float:
    """Of bootstrapped differences: twice the smaller share on one side of 0, never 0 itself; NaN without draws."""
    if not len(drawn):
        return float("nan")
    tail = min((drawn <= 0).mean(), (drawn >= 0).mean())
    return float(min(1.0, 2 * max(tail, 1 / (len(drawn) + 1))))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Corrected for as many comparisons as there are (Holm 1979): each is what a claim on all of them together takes.

    NaN, a comparison that could not be made, stays NaN and is not counted.
    """
    corrected = [float("nan")] * len(probabilities)
    order = [place for place in np.argsort(probabilities, kind="stable") if math.isfinite(probabilities[place])]
    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, probabilities[place] * (len(order) - rank)))
        corrected[place] = least
    return corrected


def verdict(difference: Difference, fused: str, single: str, slower: float) -> str:
    """One honest sentence."""
    low, high = (_amount(bound, difference.metric) for bound in difference.interval)
    gain = _amount(difference.value, difference.metric)
    if not math.isfinite(low):
        return f"{difference.metric} is not defined on these rows: {fused} and {single} alone can't be compared"
    unit = " points" if difference.metric in SHARE_METRICS else ""
    figures = f"{gain:+.{2 if unit else 4}g}{unit} {difference.metric}, 95% interval {low:+.3g} to {high:+.3g}"
    if low > 0:
        return f"{fused} beats {single} alone: {figures}, {slower:.1f}× its training time"
    if high < 0:
        return f"fusing hurts here: {fused} against {single} alone: {figures}; use {single} alone"
    return f"no difference shown between {fused} and {single} alone: {figures}; {single} alone is the simpler choice"


def _amount(value: float, metric: str) -> float:
    return 100 * value if metric in SHARE_METRICS else value
