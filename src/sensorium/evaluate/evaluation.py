"""Compute all metrics of a task with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from sensorium.errors import SchemaError
from sensorium.errors.printable import printable
from sensorium.evaluate._coverage_results import Coverages
from sensorium.evaluate._slice_results import Slices
from sensorium.evaluate._subset_results import Subsets
from sensorium.evaluate.bootstrap import pick_runs
from sensorium.evaluate.confusion import ConfusionMatrix
from sensorium.evaluate.curves import Curves
from sensorium.evaluate.intervals import MetricInterval, count_few
from sensorium.evaluate.operating_points import OperatingTable
from sensorium.evaluate.per_class import ClassScores
from sensorium.evaluate.scored_rows import ScoredRows
from sensorium.evaluate.scores import resamples_of, score_runs
from sensorium.evaluate.units import UnitCount
from sensorium.files.figures import finite
from sensorium.findings import Problems, count
from sensorium.metrics import Outcome, default_metrics, score


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a model on a set of rows.

    Attributes:
        n: rows scored; units, if rows were aggregated (`by`).
        metrics: name → value; NaN if it is not defined, for example with one class only.
        intervals: name → 95% interval.
        problems: cells and labels that could not be taken as they were.
        rows: description of the scored rows.
        subsets: scores with subsets of the modalities, if they were requested.
        groups: number of groups that the intervals resample as a whole; None if they resample rows.
        few: `rows` or `groups` → their number, if they are too few for intervals to contain the population's value in
            95% of all samples (fewer than 300 rows or 30 groups); `target.rows` and `target.groups` are those of one
            of several targets.
        classes: metrics of each class, if they were requested.
        coverage: coverage of prediction sets or intervals, if it was requested.
        slices: metrics of slices of the rows, if they were requested.
        by: the column whose values name the units that were scored, and the number of their rows; None for rows.
        scored: task and outcome of the rows, for `confusion`, `curves` and `operating_points`; None for an evaluation
            that was read from a file.

    Example:
        >>> found = model.evaluate("films.csv", "test")
        >>> found.n, found.rows
        (9, 'test rows')
        >>> sorted(found.metrics) == sorted(found.intervals)
        True
    """

    n: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    problems: Problems = field(default_factory=Problems)
    rows: str = "all rows"
    subsets: Subsets | None = None
    groups: int | None = None
    few: dict[str, int] = field(default_factory=dict)
    classes: list[ClassScores] | None = None
    coverage: Coverages | None = None
    slices: Slices | None = None
    by: UnitCount | None = None
    scored: ScoredRows | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        """Show metrics with their intervals, scores of subsets and slices, and problems of columns and the table."""
        wide = max(map(len, self.metrics), default=0)
        over = "" if self.groups is None else f"; intervals resample {count(self.groups, 'group')}"
        few = "".join(f"; few {unit} ({number})" for unit, number in self.few.items())
        lines = [f"{self._scored()}{over}{few}"]
        for name, value in self.metrics.items():
            low, high = self.intervals[name]
            lines.append(f"{name:<{wide}}  {value:.4g} ({low:.4g} to {high:.4g})")
        lines += map(str, self.classes or [])
        lines += [str(part) for part in (self.subsets, self.slices, self.coverage) if part]
        return printable("\n".join([*lines, *(f"! {group}" for group in self.problems.whole().groups())]))

    def _scored(self) -> str:
        if self.by is None:
            return f"{self.n:,} rows ({self.rows})"
        return f"{count(self.n, 'unit')} by {self.by.column} ({self.by.rows:,} {self.rows})"

    def confusion(self) -> dict[str, ConfusionMatrix]:
        """Return target → confusion matrix; a single target has the name "".

        Raises:
            SchemaError: no target has classes or labels, or the rows are not kept.

        Example:
            >>> matrix = model.evaluate("films.csv", "test").confusion()[""]
            >>> matrix.labels, int(matrix.counts.sum())
            (['class_0', 'class_1', 'class_2'], 9)
        """
        return self._rows().confusion()

    def curves(self, seed: int = 0) -> dict[str, Curves]:
        """Return target → ROC, precision–recall and reliability curves with 95% bands.

        Args:
            seed: random seed of the resamples.

        Raises:
            SchemaError: no target has classes or labels, or the rows are not kept.

        Example:
            >>> curves = model.evaluate("films.csv", "test").curves()[""]
            >>> [curve.label for curve in curves.roc]
            ['class_0', 'class_1', 'class_2']
        """
        return self._rows().curves(seed)

    def operating_points(self, prevalence: float | None = None) -> dict[str, list[OperatingTable]]:
        """Return target → sensitivity, specificity and predictive values at several thresholds, for each label.

        Args:
            prevalence: share of positive rows for the predictive values, above 0 and below 1; by default that of the
                rows. Tables for training often have more positives than the population.

        Raises:
            SchemaError: no target is binary or multilabel, or the rows are not kept.
            ConfigError: the prevalence is not above 0 and below 1.

        Example:
            >>> table = {"dose": [1, 2, 3, 4] * 20, "ill": ["no", "no", "yes", "yes"] * 20}
            >>> evaluation = sensorium.fit(table, "ill", epochs=1, progress=False).evaluate(table, "all")
            >>> (points,) = evaluation.operating_points(prevalence=0.02)[""]
            >>> points.label, points.prevalence, points.points[0].fixed, points.points[0].level
            ('yes', 0.02, 'sensitivity', 0.8)
        """
        return self._rows().operating_points(prevalence)

    def _rows(self) -> ScoredRows:
        if self.scored is None:
            raise SchemaError("the evaluation does not keep its rows", cure="call model.evaluate(table)")
        return self.scored

    def to_json(self) -> dict[str, Any]:
        """Return `{"n", "metrics", "intervals"}`; `"groups"` if the split has groups, `"few"` if there are few rows.

        `"per_class"`, `"subsets"`, `"slices"`, `"by"` and `"coverage"` are included if they were requested. Undefined
        values are null.

        Example:
            >>> sorted(model.evaluate("films.csv", "test").to_json())
            ['few', 'intervals', 'metrics', 'n']
        """
        return {
            "n": self.n,
            "metrics": {name: finite(value) for name, value in self.metrics.items()},
            "intervals": {name: [finite(low), finite(high)] for name, (low, high) in self.intervals.items()},
            **({} if self.groups is None else {"groups": self.groups}),
            **({"few": self.few} if self.few else {}),
            **({} if self.classes is None else {"per_class": [each.to_json() for each in self.classes]}),
            **({"subsets": self.subsets.to_json()} if self.subsets else {}),
            **({"slices": self.slices.to_json()} if self.slices else {}),
            **({"by": asdict(self.by)} if self.by else {}),
            **({"coverage": self.coverage.to_json()} if self.coverage else {}),
        }


def evaluate_outcome(outcome: Outcome, names: Sequence[str], seed: int = 0, *, exactly: bool = False) -> Evaluation:
    """Compute every metric and its 95% interval; all metrics share the same resamples.

    With several targets, the usual metrics of each target are computed as well, unless `exactly` is set.
    """
    return evaluate_runs([outcome], names, seed, exactly=exactly)


def evaluate_runs(runs: Sequence[Outcome], names: Sequence[str], seed: int = 0, *, exactly: bool = False) -> Evaluation:
    """Compute the mean of each metric over several runs, and its interval over resampled rows (or groups) and runs."""
    outcome, values = runs[0], mean_scores(runs, names, exactly=exactly)
    random = np.random.default_rng(seed)
    intervals = {name: MetricInterval(name, runs) for name in values}
    for weights in resamples_of(outcome, seed):
        picks = pick_runs(len(runs), len(weights), random)
        for name, interval in intervals.items():
            interval.add(weights, score_runs(name, runs, weights, picks))
    ends = {name: interval.ends(values[name]) for name, interval in intervals.items()}
    return Evaluation(len(outcome), values, ends, groups=outcome.group_count, few=count_few(outcome))


def mean_scores(runs: Sequence[Outcome], names: Sequence[str], *, exactly: bool = False) -> dict[str, float]:
    """Return the mean of each metric over several runs.

    With several targets, the usual metrics of each target are computed as well, unless `exactly` is set.
    """
    parts = {} if exactly else runs[0].parts
    every = [*names, *(f"{target}.{own}" for target, part in parts.items() for own in default_metrics(part.task))]
    return {name: float(np.mean([score(name, run)[0] for run in runs])) for name in every}
