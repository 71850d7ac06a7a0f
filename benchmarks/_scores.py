"""Metrics of scores under many weightings of the rows, and paired differences of models with intervals.

The metrics are written apart from those of Sensorium, so that the yardstick does not change with what it measures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from _cell_statistics import Values

FLOOR = 1e-6  # smallest probability in a log loss
RESAMPLES = 1000
BINS = 15  # of the calibration error
REDRAWS = 200  # of labels, for the calibration error that a calibrated model has
LOWER_IS_BETTER = ("log_loss", "brier", "ece", "rmse")
PER_CLASS = ("accuracy", "f1_weighted", "log_loss", "brier")
BINARY = ("f1", "roc_auc")
AMOUNT = ("r2", "rmse")


@dataclass(frozen=True)
class Scored:
    """What a model predicted for the judged rows of one split.

    Attributes:
        truth: int64[n] class codes, or float64[n] amounts.
        scores: float64[n, classes] probabilities, or float64[n] amounts.
        units: int64[n] codes of what is resampled together.
    """

    truth: npt.NDArray[Any]
    scores: Values
    units: npt.NDArray[np.int64]


def metrics_of(scored: Scored) -> dict[str, float]:
    """Compute all metrics of the task; for probabilities also the calibration error and its limit."""
    if scored.scores.ndim == 1:
        return {name: score(name, scored) for name in AMOUNT}
    names = PER_CLASS + (BINARY if scored.scores.shape[1] == 2 else ())
    error, limit = calibration(scored)
    return {**{name: score(name, scored) for name in names}, "ece": error, "ece_limit": limit}


def score(name: str, scored: Scored) -> float:
    return float(METRICS[name](scored, np.ones((1, len(scored.truth))))[0])


def accuracy(scored: Scored, weights: Values) -> Values:
    return _mean(scored.scores.argmax(1) == scored.truth, weights)


def log_loss(scored: Scored, weights: Values) -> Values:
    own = scored.scores[np.arange(len(scored.truth)), scored.truth]
    return _mean(-np.log(np.clip(own, FLOOR, 1)), weights)


def brier(scored: Scored, weights: Values) -> Values:
    """Mean of the squared errors, summed over the classes."""
    return _mean(((scored.scores - np.eye(scored.scores.shape[1])[scored.truth]) ** 2).sum(1), weights)


def f1(scored: Scored, weights: Values) -> Values:
    """F1 of the last class."""
    return _f1(scored, weights, scored.scores.shape[1] - 1)


def f1_weighted(scored: Scored, weights: Values) -> Values:
    """Mean of the F1 of the classes, weighted by their rows."""
    classes = range(scored.scores.shape[1])
    shares = [_mean(scored.truth == code, weights) for code in classes]
    return np.sum([share * _f1(scored, weights, code) for code, share in zip(classes, shares, strict=True)], 0)


def _f1(scored: Scored, weights: Values, code: int) -> Values:
    """2 · TP / (true + predicted); 0 if the class neither occurs nor is predicted."""
    true, predicted = scored.truth == code, scored.scores.argmax(1) == code
    rows = weights @ np.column_stack([true & predicted, true, predicted]).astype(np.float64)
    return 2 * rows[:, 0] / np.maximum(rows[:, 1] + rows[:, 2], 1e-12)


def roc_auc(scored: Scored, weights: Values) -> Values:
    """P(positive above negative) + ½ P(tied); NaN without rows of both classes."""
    _, ranks = np.unique(scored.scores[:, 1], return_inverse=True)
    order = np.argsort(ranks, kind="stable")
    starts = np.flatnonzero(np.diff(ranks[order], prepend=-1))
    positive, negative = (
        np.add.reduceat((weights * (scored.truth == code))[:, order], starts, axis=1) for code in (1, 0)
    )
    above = (positive * (negative.cumsum(1) - negative / 2)).sum(1)
    with np.errstate(invalid="ignore"):
        return above / (positive.sum(1) * negative.sum(1))


def r2(scored: Scored, weights: Values) -> Values:
    mean = _mean(scored.truth, weights)
    spread = _mean(scored.truth**2, weights) - mean**2
    return 1 - _mean((scored.truth - scored.scores) ** 2, weights) / spread


def rmse(scored: Scored, weights: Values) -> Values:
    return np.sqrt(_mean((scored.truth - scored.scores) ** 2, weights))


def _mean(values: npt.NDArray[Any], weights: Values) -> Values:
    return weights @ values.astype(np.float64) / weights.sum(1)


METRICS: dict[str, Callable[[Scored, Values], Values]] = {
    "accuracy": accuracy, "log_loss": log_loss, "brier": brier, "f1": f1, "f1_weighted": f1_weighted,
    "roc_auc": roc_auc, "r2": r2, "rmse": rmse,
}  # fmt: skip


def calibration(scored: Scored) -> tuple[float, float]:
    """Expected calibration error of the top class in 15 bins, and its 95th percentile if the model were calibrated.

    The percentile is that of labels drawn from the model's own probabilities.
    """
    random = np.random.default_rng(0)
    drawn = random.random((REDRAWS, len(scored.truth)))
    top = scored.scores.max(1)
    redrawn = [_ece(top, draw < top) for draw in drawn]
    return _ece(top, scored.scores.argmax(1) == scored.truth), float(np.quantile(redrawn, 0.95))


def _ece(top: Values, hits: npt.NDArray[np.bool_]) -> float:
    bins = np.minimum((top * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, hits - top, BINS)).sum() / len(top))


@dataclass(frozen=True)
class Gain:
    """Paired difference of two models on the same rows; positive if the first is better.

    Attributes:
        value: mean over the splits.
        low, high: bootstrap 95% interval over units of rows and splits.
        standardised: the value divided by the standard deviation of the bootstrap; 0 if both are 0.
        splits: number of splits.
    """

    value: float
    low: float
    high: float
    standardised: float
    splits: int


def gain(metric: str, first: Sequence[Scored], second: Sequence[Scored], seed: int = 0) -> Gain:
    """Compare two models over splits, given in the same order.

    Each resample draws one split fewer than there are, with replacement (Rao and Wu 1988), and in each split as many
    units of rows as it has.
    """
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    random = np.random.default_rng(seed)
    pairs = list(zip(first, second, strict=True))
    value = sign * float(np.mean([score(metric, one) - score(metric, other) for one, other in pairs]))
    drawn = np.array([_resampled(metric, one, other, random) for one, other in pairs])
    picked = random.integers(0, len(pairs), (max(1, len(pairs) - 1), RESAMPLES))
    means = sign * np.take_along_axis(drawn, picked, 0).mean(0)
    means = means[np.isfinite(means)]
    if not len(means):
        return Gain(value, np.nan, np.nan, np.nan, len(pairs))
    low, high = np.quantile(means, [0.025, 0.975])
    deviation = float(means.std())
    standardised = value / deviation if deviation > 1e-12 else 0.0 if abs(value) < 1e-12 else np.nan
    return Gain(value, float(low), float(high), standardised, len(pairs))


def _resampled(metric: str, first: Scored, second: Scored, random: np.random.Generator) -> Values:
    """The differences of resamples of the rows of one split, float64[resamples]."""
    _, units = np.unique(first.units, return_inverse=True)
    count = int(units.max()) + 1
    drawn = random.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float64)
    weights = drawn[:, units]
    return METRICS[metric](first, weights) - METRICS[metric](second, weights)
