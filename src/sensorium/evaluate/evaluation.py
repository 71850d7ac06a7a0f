"""Compute all metrics of a task with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sensorium.errors import SchemaError
from sensorium.errors.printable import printable
from sensorium.evaluate._subset_results import Subsets
from sensorium.evaluate.bootstrap import pick_runs
from sensorium.evaluate.confusion import ConfusionMatrix
from sensorium.evaluate.curves import Curves
from sensorium.evaluate.operating_points import OperatingTable
from sensorium.evaluate.scored_rows import ScoredRows
from sensorium.evaluate.scores import metric_interval, resamples_of, score_runs
from sensorium.files.figures import finite
from sensorium.findings import Problems, count
from sensorium.metrics import Outcome, metrics_of, score


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a model on a set of rows.

    Attributes:
        n: rows scored.
        metrics: name → value; NaN if it is not defined, for example with one class only.
        intervals: name → bootstrap 95% interval.
        problems: cells and labels that could not be taken as they were.
        rows: description of the scored rows.
        subsets: scores with subsets of the modalities, if they were requested.
        groups: number of groups that the intervals resample as a whole; None if they resample rows.
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
    scored: ScoredRows | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        """Show metrics with their intervals, scores of subsets, and problems of whole columns and the table."""
        wide = max(map(len, self.metrics), default=0)
        over = "" if self.groups is None else f"; intervals resample {count(self.groups, 'group')}"
        lines = [f"{self.n:,} rows ({self.rows}){over}"]
        for name, value in self.metrics.items():
            low, high = self.intervals[name]
            lines.append(f"{name:<{wide}}  {value:.4g} ({low:.4g} to {high:.4g})")
        lines += [str(self.subsets)] if self.subsets else []
        return printable("\n".join([*lines, *(f"! {group}" for group in self.problems.whole().groups())]))

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
        """Return `{"n", "metrics", "intervals"}`, `"groups"` if the split has groups, and `"subsets"` if requested.

        Undefined values are null.

        Example:
            >>> sorted(model.evaluate("films.csv", "test").to_json())
            ['intervals', 'metrics', 'n']
        """
        return {
            "n": self.n,
            "metrics": {name: finite(value) for name, value in self.metrics.items()},
            "intervals": {name: [finite(low), finite(high)] for name, (low, high) in self.intervals.items()},
            **({} if self.groups is None else {"groups": self.groups}),
            **({"subsets": self.subsets.to_json()} if self.subsets else {}),
        }


def evaluate_outcome(outcome: Outcome, names: Sequence[str], seed: int = 0) -> Evaluation:
    """Compute every metric and its 95% interval; all metrics share the same resamples.

    With several targets, the metrics of each target are computed as well.
    """
    return evaluate_runs([outcome], names, seed)


def evaluate_runs(runs: Sequence[Outcome], names: Sequence[str], seed: int = 0) -> Evaluation:
    """Compute the mean of each metric over several runs, and its interval over resampled rows (or groups) and runs."""
    outcome, values = runs[0], mean_scores(runs, names)
    random = np.random.default_rng(seed)
    drawn: dict[str, list[Any]] = {name: [] for name in values}
    for weights in resamples_of(outcome, seed):
        picks = pick_runs(len(runs), len(weights), random)
        for name in values:
            drawn[name].append(score_runs(name, runs, weights, picks))
    intervals = {name: metric_interval(name, values[name], np.concatenate(drawn[name])) for name in values}
    return Evaluation(len(outcome), values, intervals, groups=outcome.group_count)


def mean_scores(runs: Sequence[Outcome], names: Sequence[str]) -> dict[str, float]:
    """Return the mean of each metric over several runs; with several targets, the metrics of each target as well."""
    parts = runs[0].parts.items()
    every = [*names, *(f"{target}.{own}" for target, part in parts for own in metrics_of(part.task))]
    return {name: float(np.mean([score(name, run)[0] for run in runs])) for name in every}
