"""Corrected resampled t-test: intervals of metrics and differences over folds (Nadeau and Bengio 2003).

Training rows of different folds overlap, so metrics of folds are not independent, and their usual variance is far too
small. The corrected variance of the mean over J folds is s² (1/J + n_test / n_train): "Inference for the generalization
error", Machine Learning 52.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sensorium.evaluate.bootstrap import LEVEL
from sensorium.evaluate.scores import clip_interval
from sensorium.metrics import Difference, direction
from sensorium.table import Floats


@dataclass(frozen=True)
class FoldSizes:
    """Sizes of the folds that metrics were computed on.

    Attributes:
        ratio: mean of test rows divided by training rows.
        test_rows: mean number of test rows.
    """

    ratio: float
    test_rows: float

    @classmethod
    def of(cls, train: Sequence[int], test: Sequence[int]) -> FoldSizes:
        """Return the sizes of folds with these numbers of training rows (validation rows included) and test rows."""
        return cls(float(np.mean(np.asarray(test) / np.asarray(train))), float(np.mean(test)))


def fold_interval(metric: str, values: Sequence[float], sizes: FoldSizes) -> tuple[float, float]:
    """Return the 95% interval of the mean metric over folds; it holds possible values only.

    Args:
        metric: registered name.
        values: the metric of each fold; NaN where it is not defined.
        sizes: of the folds.
    """
    value, error, freedom = _mean_and_error(values, sizes)
    margin = quantile_t(LEVEL, freedom) * error if freedom else math.nan
    return clip_interval(metric, value - margin, value + margin)


def compare_folds(first: Sequence[float], second: Sequence[float], metric: str, sizes: FoldSizes) -> Difference:
    """Compare two models on the same folds.

    Args:
        first, second: the metric of each fold; NaN where it is not defined.
        metric: registered name.
        sizes: of the folds.

    Returns:
        The mean difference with its 95% interval and two-sided p-value. Folds in which a metric is not defined do not
        count; if they are more than half of the folds, or fewer than two are left, interval and p-value are NaN.
    """
    gains = direction(metric) * (np.asarray(first, np.float64) - np.asarray(second, np.float64))
    value, error, freedom = _mean_and_error(gains, sizes)
    if not freedom:
        return Difference(metric, value, (math.nan, math.nan), math.nan)
    margin = quantile_t(LEVEL, freedom) * error
    return Difference(metric, value, (value - margin, value + margin), two_sided_p(abs(value) / error, freedom))


def mean_of_folds(values: Sequence[float]) -> float:
    """Return the mean metric of the folds in which it is defined; NaN if it is defined in fewer than half of them."""
    known = _defined(values)
    return float(known.mean()) if len(known) else math.nan


def _mean_and_error(values: Sequence[float] | Floats, sizes: FoldSizes) -> tuple[float, float, int]:
    """Return the mean, its corrected standard error, and the degrees of freedom: 0 without an error.

    Metrics that count rows may be equal in all folds. They are then known to the nearest row only: the variance is that
    of rounding two counts.
    """
    known = _defined(values)
    if len(known) < 2:
        return float(known.sum()) if len(known) else math.nan, math.nan, 0
    variance = float(known.var(ddof=1)) or 1 / (6 * sizes.test_rows**2)
    return float(known.mean()), math.sqrt(variance * (1 / len(known) + sizes.ratio)), len(known) - 1


def _defined(values: Sequence[float] | Floats) -> Floats:
    found = np.asarray(values, np.float64)
    known = found[np.isfinite(found)]
    return known if 2 * len(known) >= len(found) else known[:0]


def quantile_t(level: float, freedom: int) -> float:
    """Return t such that the given share of Student's t-distribution lies between −t and t.

    >>> from sensorium.evaluate.resampled_t import quantile_t
    >>> round(quantile_t(0.95, 9), 4)
    2.2622
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


def two_sided_p(t: float, freedom: int) -> float:
    """Return the probability of a value of Student's t that is further from 0 than `t`, which is at least 0."""
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -t))
