"""Find the prediction sets and intervals of rows, and report what their coverage does not hold for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sensorium.conformal import PER, Category, Per, Presence, Regions, find_regions, units_needed
from sensorium.errors import ConfigError, list_names
from sensorium.evaluate import Coverages
from sensorium.evaluate.coverage import measure_coverage
from sensorium.findings import Problem, count
from sensorium.metrics import Outcome
from sensorium.model import FittedModel
from sensorium.table import Floats
from sensorium.tasks import Task, targets_of

NONE_CURE = "fit the model with this version, with validation rows, and without the setting conformal: none"


@dataclass(frozen=True)
class CoverageRequest:
    """Coverage of the prediction sets and intervals to find.

    Attributes:
        coverage: probability that they contain the truth, between 0 and 1.
        per: the rows for which it holds, see `find_regions`.
    """

    coverage: float
    per: Per

    @classmethod
    def of(cls, fitted: FittedModel, coverage: float | None, per: str, by: str | None = None) -> CoverageRequest | None:
        """Return a coverage that a model may reach; None without one.

        Args:
            fitted: the model.
            coverage: the coverage.
            per: the rows for which it holds.
            by: column that names units, for whose mean scores no coverage is known.

        Raises:
            ConfigError: the kind of rows is unknown, the model has no conformal predictor or too few calibration rows
                for this coverage, or units are scored.
        """
        kinds = [each for each in PER if each == per]
        if not kinds:
            raise ConfigError(f"coverage_per cannot be {per!r}", place="coverage_per", rule=list_names([*PER]))
        if coverage is None:
            return None
        if by is not None:
            finding = "coverage holds for predictions of single rows, not for their means"
            raise ConfigError(finding, place="coverage", cure="omit coverage or by")
        if not fitted.conformal:
            finding = "the model has no conformal scores, which prediction sets and intervals need"
            raise ConfigError(finding, place="coverage", cure=NONE_CURE)
        if per == "class" and not any(own.labels for own in fitted.conformal.values()):
            finding = "coverage per class needs a target with classes or labels"
            raise ConfigError(finding, place="coverage_per", cure="modalities or all")
        found = cls(coverage, kinds[0])
        found.of_no_rows(fitted)
        return found

    def of_no_rows(self, fitted: FittedModel) -> dict[str, Regions]:
        """Return the regions of no rows: whether the coverage can be reached is known before anything is predicted.

        Raises:
            ConfigError: there are too few calibration rows for this coverage.
        """
        nothing = fitted.presence({name: np.zeros(0, bool) for name in fitted.learnt})
        return self.regions(fitted, fitted.prior_scores(0), nothing)

    def regions(self, fitted: FittedModel, scores: Floats, presence: Presence) -> dict[str, Regions]:
        """Return target, or "" if there is one only → the region of each row.

        Raises:
            ConfigError: there are too few calibration rows for this coverage.
        """
        parts = fitted.task.scores_of_each(scores) or {"": scores}
        return {
            name: find_regions(own, parts[name], presence, self.coverage, self.per)
            for name, own in fitted.conformal.items()
        }

    def measure(self, fitted: FittedModel, outcome: Outcome, presence: Presence) -> Coverages:
        """Measure the coverage on labelled rows.

        Raises:
            ConfigError: there are too few calibration rows for this coverage.
        """
        found = measure_coverage(fitted.conformal, outcome, presence, self.coverage, self.per)
        return found.with_labels({name: labels_of(fitted.task, name) for name in found.targets})

    def problems(self, fitted: FittedModel, scores: Floats, presence: Presence) -> list[Problem]:
        """Report what the coverage does not hold for."""
        return region_problems(fitted, self.regions(fitted, scores, presence), self.coverage)


def region_columns(fitted: FittedModel, regions: Mapping[str, Regions]) -> dict[str, Any]:
    """Return columns for a table of predictions: `prediction_set`, or `lower` and `upper`, of each target."""
    columns = dict[str, Any]()
    for name, own in regions.items():
        prefix = f"{name}." if name else ""
        if own.sets is not None:
            columns[f"{prefix}prediction_set"] = _lists(own, labels_of(fitted.task, name))
        elif own.intervals is not None:
            columns |= {f"{prefix}lower": own.intervals[:, 0], f"{prefix}upper": own.intervals[:, 1]}
    return columns


def labels_of(task: Task, target: str) -> list[Any]:
    """Return the labels of a target; of one of several targets without the target's name."""
    return list(targets_of(task)[target].labels)


def _lists(regions: Regions, labels: list[Any]) -> pa.Array:
    """Return a list of labels per row, in the order of the labels."""
    assert regions.sets is not None
    _, places = np.nonzero(regions.sets)
    offsets = np.concatenate([[0], np.cumsum(regions.sets.sum(1))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(labels).take(pa.array(places)))


def region_problems(fitted: FittedModel, regions: Mapping[str, Regions], coverage: float) -> list[Problem]:
    """Report categories whose coverage is that of all rows, and targets without sets or intervals."""
    needed = units_needed(coverage)
    problems = [
        Problem(None, name, f"coverage {coverage:g} holds for all rows together, not for {_words(fitted, name, each)}: "
                f"{_few(fitted, name, each)}, and {needed:,} are needed", "fit with more validation rows")
        for name, own in regions.items()
        for each in own.fallbacks
    ]  # fmt: skip
    lacking = [name for name in fitted.task.targets if name not in regions]
    return problems + [Problem(None, name, "no sets or intervals: too few validation rows") for name in lacking]


def _words(fitted: FittedModel, target: str, category: Category) -> str:
    kind, names = category
    if kind == "class":
        return f"rows of the class {labels_of(fitted.task, target)[int(names[0])]!r}"
    return f"rows that have only {list_names([*names])}" if names else "rows without a value"


def _few(fitted: FittedModel, target: str, category: Category) -> str:
    own = fitted.conformal[target].distributions.get(category)
    if own is None:
        return "too few calibration rows are like them"
    what = "row" if own.units == own.rows else "group"
    return f"they have {count(own.units, f'calibration {what}')}"
