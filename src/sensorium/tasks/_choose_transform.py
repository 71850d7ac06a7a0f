"""Choose the transform of a target by the shape of its distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from sensorium.errors import SchemaError
from sensorium.modalities.number import mean_and_deviation
from sensorium.table import Floats
from sensorium.tasks._transforms import HIGHEST_POWER, LOWEST_POWER, Transform

Setting: TypeAlias = Literal["auto", "none", "log", "yeo_johnson"]

FEWEST = 20  # values, and a quarter of them distinct values, from which a shape is judged
SAMPLED = 5000  # quantiles by which it is judged
POWERS = np.linspace(LOWEST_POWER, HIGHEST_POWER, 41)
GAIN = 0.1  # gain in log likelihood per value from which a target is transformed
NORMAL_RANGE = 1.349  # interquartile range of the standard normal distribution


@dataclass(frozen=True)
class ChosenTransform:
    """Transform of a target with the reason; None if it is used as it is."""

    transform: Transform | None
    reason: str = ""


def choose_transform(values: Floats, setting: Setting, column: str) -> ChosenTransform:
    """Return the transform of a target.

    `auto` compares the log likelihood of normal distributions of the values and of their Yeo-Johnson transform (as in
    Box and Cox 1964), and transforms them if that gains `GAIN` per value. It does not choose the logarithm: small
    values count for as much as large ones there, which often raises the squared error of the target. A plan
    compares the suggested transform with others out of fold.

    Args:
        values: finite values of the training rows, without outliers.
        setting: name of a transform, or `auto`.
        column: name of the target.

    Raises:
        SchemaError: the setting is `log`, and a value is negative.
    """
    if setting == "none" or not len(values):
        return ChosenTransform(None)
    if setting == "log" and values.min() < 0:
        cure = "train.target_transform: yeo_johnson, or auto"
        finding = f"the target has negative amounts, such as {values.min():.10g}"
        raise SchemaError(finding, place=f"column {column!r}", rule="log needs amounts of at least 0", cure=cure)
    if setting != "auto":
        found = _log(values) if setting == "log" else _yeo_johnson(values)
        return ChosenTransform(found and found.widened())
    if len(values) < FEWEST or len(np.unique(values)) < FEWEST // 4:
        return ChosenTransform(None)
    best, some = _yeo_johnson(values), _sampled(values)
    if best is None or _likelihood(best, some) - _plain_likelihood(some) < GAIN:
        return ChosenTransform(None)
    return ChosenTransform(best.widened(), f"the amounts are skewed (skewness {skewness(values):.2g})")


def _log(values: Floats) -> Transform | None:
    """Return log(y), or log(y + 1) for counts, or log(y + half of the smallest positive value) if some are 0."""
    low, high = float(values.min()), float(values.max())
    if high <= 0:
        return None
    shift = 0.0
    if low == 0:
        shift = 1.0 if (np.mod(values, 1) == 0).all() else float(values[values > 0].min()) / 2
    found = Transform("log", low, high, shift)
    return found if found.is_finite else None


def _yeo_johnson(values: Floats) -> Transform | None:
    """Return the transform with the power of highest likelihood, from the median and the interquartile range."""
    some = _sampled(values)
    low, middle, high = (float(value) for value in np.quantile(some, (0.25, 0.5, 0.75)))
    scale = (high / NORMAL_RANGE - low / NORMAL_RANGE) or mean_and_deviation(some)[1]
    ends = float(values.min()), float(values.max())
    each = [Transform("yeo_johnson", *ends, middle, scale, float(power)) for power in POWERS]
    usable = [transform for transform in each if transform.is_finite]
    return max(usable, key=lambda transform: _likelihood(transform, some), default=None)


def _sampled(values: Floats) -> Floats:
    """Return the values in ascending order, or evenly spaced quantiles of many."""
    ordered = np.sort(values)
    if len(ordered) <= SAMPLED:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, SAMPLED).round().astype(np.int64)]


def _plain_likelihood(values: Floats) -> float:
    return -float(np.log(mean_and_deviation(values)[1]))


def _likelihood(transform: Transform, values: Floats) -> float:
    """Return the log likelihood per value of a normal distribution of transformed values, up to a constant."""
    spread = mean_and_deviation(transform.forward(values))[1]
    return float(transform.log_slope(values).mean() - np.log(spread))


def skewness(values: Floats) -> float:
    """Return the third standardized moment."""
    mean, deviation = mean_and_deviation(values)
    return float(((values / deviation - mean / deviation) ** 3).mean())
