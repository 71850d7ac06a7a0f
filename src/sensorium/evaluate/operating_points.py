"""Operating points of a test: sensitivity at a fixed specificity and the reverse, with predictive values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from sensorium.evaluate.proportions import UNDEFINED, Estimate, proportion
from sensorium.evaluate.thresholds import threshold_cuts
from sensorium.files.figures import finite
from sensorium.table import Floats, Rows, Truths

Fixed: TypeAlias = Literal["sensitivity", "specificity", "threshold"]
FIXED = (0.8, 0.9, 0.95, 0.99)  # sensitivities and specificities of the table
ROUNDING = 1e-9


@dataclass(frozen=True)
class OperatingPoint:
    """Sensitivity, specificity and predictive values at one threshold.

    Attributes:
        fixed: what is fixed: `sensitivity` (at least `level`), `specificity`, or the `threshold` of the model.
        level: the fixed sensitivity or specificity; None for the threshold.
        threshold: probability from which a row is positive.
        sensitivity, specificity: with Wilson 95% intervals, which take the threshold as given.
        ppv, npv: positive and negative predictive value at the prevalence of the table.
    """

    fixed: Fixed
    level: float | None
    threshold: float
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return the point; an estimate is a list of value, lower and upper bound."""
        estimates = {name: getattr(self, name).to_json() for name in ("sensitivity", "specificity", "ppv", "npv")}
        return {"fixed": self.fixed, "level": self.level, "threshold": finite(self.threshold), **estimates}


@dataclass(frozen=True)
class OperatingTable:
    """Operating points of one label.

    Attributes:
        label: the positive class, or a label.
        prevalence: share of positive rows at which predictive values are computed.
        stated: whether the caller stated the prevalence; else it is that of the rows.
        positives, negatives: numbers of rows.
        points: the operating points.
    """

    label: Any
    prevalence: float
    stated: bool
    positives: int
    negatives: int
    points: list[OperatingPoint]

    def to_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "prevalence": self.prevalence,
            "stated": self.stated,
            "positives": self.positives,
            "negatives": self.negatives,
            "points": [point.to_json() for point in self.points],
        }


def operating_table(
    column: tuple[Any, Truths, Floats], threshold: float, prevalence: float | None = None, groups: Rows | None = None
) -> OperatingTable:
    """Return the operating points of one label.

    A fixed sensitivity is reached at the largest threshold that has it or more, a fixed specificity at the smallest.

    Args:
        column: label, truth bool[n] and probabilities float64[n] of rows of both values.
        threshold: decision threshold of the model.
        prevalence: share of positives, above 0 and below 1, for the predictive values; None for that of the rows.
        groups: int64[n] group of each row; None if the rows are independent.
    """
    label, truth, scores = column
    cuts, hits, false_alarms = threshold_cuts(truth, scores)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    share = positives / len(truth) if prevalence is None else prevalence
    sensitive = [float(cuts[np.argmax(hits >= level * positives - ROUNDING)]) for level in FIXED]
    specific = [_last(cuts[false_alarms <= (1 - level) * negatives + ROUNDING]) for level in FIXED]
    places: list[tuple[Fixed, float | None, float]] = [
        *(("sensitivity", level, at) for level, at in zip(FIXED, sensitive, strict=True)),
        *(("specificity", level, at) for level, at in zip(FIXED, specific, strict=True)),
        ("threshold", None, threshold),
    ]
    points = [
        OperatingPoint(fixed, level, at, *_estimates(truth, scores, at, share, groups)) for fixed, level, at in places
    ]
    return OperatingTable(label, share, prevalence is not None, positives, negatives, points)


def _last(cuts: Floats) -> float:
    """Return the lowest of falling thresholds; NaN if there is none."""
    return float(cuts[-1]) if len(cuts) else float("nan")


def _estimates(
    truth: Truths, scores: Floats, threshold: float, prevalence: float, groups: Rows | None
) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """Return sensitivity, specificity, PPV and NPV; undefined if no threshold reaches what is fixed."""
    if not np.isfinite(threshold):
        return UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED
    found = []
    for rows, right in ((truth, scores >= threshold), (~truth, scores < threshold)):
        found.append(proportion(right[rows], None if groups is None else groups[rows]))
    sensitivity, specificity = found
    ppv = _predictive(sensitivity, specificity, prevalence)
    return sensitivity, specificity, ppv, _predictive(specificity, sensitivity, 1 - prevalence)


def _predictive(hit: Estimate, other: Estimate, prevalence: float) -> Estimate:
    """Return a predictive value by Bayes' rule, with the interval between its values at the limits of both rates.

    The interval is conservative: both rates rarely lie at a limit together.
    """

    def value(hits: float, right: float) -> float:
        positive, false = prevalence * hits, (1 - prevalence) * (1 - right)
        return positive / (positive + false) if positive + false > 0 else float("nan")

    return Estimate(value(hit.value, other.value), value(hit.low, other.low), value(hit.high, other.high))
