"""Prediction sets and prediction intervals of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.conformal._conformal import Category, Conformal, Per
from sensorium.conformal._distribution import units_needed
from sensorium.conformal._presence import Presence
from sensorium.errors import ConfigError
from sensorium.findings import count
from sensorium.table import Floats


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions that contain the truth of a row with a given probability: sets of classes or labels, or intervals.

    Attributes:
        sets: bool[n, k]; None for an amount.
        intervals: float64[n, 2] lower and upper bounds; None for classes and labels.
        fallbacks: category with too few calibration rows for a limit of its own, which has that of all rows → number
            of rows here that it concerns; of a class, all rows.
    """

    sets: npt.NDArray[np.bool_] | None
    intervals: Floats | None
    fallbacks: Mapping[Category, int]

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def sizes(self) -> Floats:
        """Return float64[n]: number of classes or labels in each set, or width of each interval."""
        if self.sets is not None:
            return self.sets.sum(1).astype(np.float64)
        assert self.intervals is not None
        return np.asarray(self.intervals[:, 1] - self.intervals[:, 0], np.float64)

    def contain(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether the region of each row contains its true class, all true labels, or its amount."""
        if self.sets is None:
            assert self.intervals is not None
            return (self.intervals[:, 0] <= truth) & (truth <= self.intervals[:, 1])
        if truth.ndim == 1:
            return self.sets[np.arange(len(self.sets)), truth]
        return np.asarray((self.sets | ~truth).all(1))


def find_regions(found: Conformal, scores: Floats, presence: Presence, coverage: float, per: Per) -> Regions:
    """Return the region of each row.

    Args:
        found: the conformal predictor of the target.
        scores: probabilities float64[n, k], or amounts float64[n].
        presence: modalities of the rows.
        coverage: probability that a region contains the truth, between 0 and 1.
        per: the rows for which this coverage holds: for each subset of `modalities` that rows have, for each true
            `class`, or only for `all` rows together. Amounts have no classes: theirs is for all rows.

    Raises:
        ConfigError: there are too few calibration rows for this coverage.
    """
    usual = _usual_limit(found, coverage)
    score = found.score
    if not score.has_sets:
        limits, fallbacks = _limits_of_rows(found, presence, coverage, usual, per)
        intervals = score.intervals(scores, limits)
        return Regions(None, _whole(intervals) if found.whole else intervals, fallbacks)
    if per == "class":
        limits, fallbacks = _limits_of_classes(found, len(scores), coverage, usual)
        return Regions(score.of_each(scores) <= limits, None, fallbacks)
    limits, fallbacks = _limits_of_rows(found, presence, coverage, usual, per)
    return Regions(score.of_each(scores) <= limits[:, None], None, fallbacks)


def _usual_limit(found: Conformal, coverage: float) -> float:
    """Return the limit of all rows.

    Raises:
        ConfigError: there are too few calibration rows.
    """
    limit = found.every.limit(coverage)
    if math.isfinite(limit):
        return limit
    units, rows = found.every.units, found.every.rows
    what = count(rows, "calibration row") if units == rows else f"calibration rows of {count(units, 'group')}"
    raise ConfigError(
        f"a coverage of {coverage:g} cannot be reached: the model has {what}",
        place="coverage",
        rule=f"it needs {count(units_needed(coverage), 'row')} or more; rows of a group count as one",
        cure=f"a coverage up to {math.floor(1000 * units / (units + 1)) / 1000:g}, or fit with more validation rows",
    )


def _limits_of_rows(
    found: Conformal, presence: Presence, coverage: float, usual: float, per: Per
) -> tuple[Floats, dict[Category, int]]:
    """Return the limit of each row, float64[n], and the subsets of modalities that have that of all rows."""
    if per != "modalities":
        return np.full(len(presence), usual), {}
    codes, subsets = presence.subsets()
    own = [_own_limit(found, ("modalities", names), coverage) for names in subsets]
    counts = np.bincount(codes, minlength=len(subsets))
    fallbacks: dict[Category, int] = {
        ("modalities", names): int(number)
        for names, limit, number in zip(subsets, own, counts, strict=True)
        if not math.isfinite(limit)
    }
    limits = np.array([limit if math.isfinite(limit) else usual for limit in own])
    return limits[codes] if len(codes) else np.zeros(0), fallbacks


def _limits_of_classes(
    found: Conformal, rows: int, coverage: float, usual: float
) -> tuple[Floats, dict[Category, int]]:
    """Return the limit of each class, float64[k], and the classes that have that of all rows."""
    categories: list[Category] = [("class", (str(number),)) for number in range(found.labels)]
    own = [_own_limit(found, category, coverage) for category in categories]
    fallbacks = {
        category: rows for category, limit in zip(categories, own, strict=True) if rows and not math.isfinite(limit)
    }
    return np.array([limit if math.isfinite(limit) else usual for limit in own]), fallbacks


def _own_limit(found: Conformal, category: Category, coverage: float) -> float:
    own = found.distributions.get(category)
    return math.inf if own is None else own.limit(coverage)


def _whole(intervals: Floats) -> Floats:
    """Return intervals of whole numbers of at least 0; each has at least one number."""
    low = np.ceil(intervals[:, 0])
    high = np.maximum(np.floor(intervals[:, 1]), low)
    return np.maximum(np.stack([low, high], 1), 0)
