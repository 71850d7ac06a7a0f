"""Compute all metrics of a task with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from sensorium.errors.printable import printable
from sensorium.evaluate._slice_results import Slices
from sensorium.evaluate._subset_results import Subsets
from sensorium.evaluate.bootstrap import pick_runs
from sensorium.evaluate.scores import metric_interval, resamples_of, score_runs
from sensorium.evaluate.units import UnitCount
from sensorium.files.figures import finite
from sensorium.findings import Problems, count
from sensorium.metrics import Outcome, metrics_of, score


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a model on a set of rows.

    Attributes:
        n: rows scored; units, if rows were aggregated (`by`).
        metrics: name → value; NaN if it is not defined, for example with one class only.
        intervals: name → bootstrap 95% interval.
        problems: cells and labels that could not be taken as they were.
        rows: description of the scored rows.
        subsets: scores with subsets of the modalities, if they were requested.
        groups: number of groups that the intervals resample as a whole; None if they resample rows.
        slices: metrics of slices of the rows, if they were requested.
        by: the column whose values name the units that were scored, and the number of their rows; None for rows.

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
    slices: Slices | None = None
    by: UnitCount | None = None

    def __str__(self) -> str:
        """Show metrics with their intervals, scores of subsets and slices, and problems of columns and the table."""
        wide = max(map(len, self.metrics), default=0)
        over = "" if self.groups is None else f"; intervals resample {count(self.groups, 'group')}"
        lines = [f"{self._scored()}{over}"]
        for name, value in self.metrics.items():
            low, high = self.intervals[name]
            lines.append(f"{name:<{wide}}  {value:.4g} ({low:.4g} to {high:.4g})")
        lines += [str(part) for part in (self.subsets, self.slices) if part]
        return printable("\n".join([*lines, *(f"! {group}" for group in self.problems.whole().groups())]))

    def _scored(self) -> str:
        if self.by is None:
            return f"{self.n:,} rows ({self.rows})"
        return f"{count(self.n, 'unit')} by {self.by.column} ({self.by.rows:,} {self.rows})"

    def to_json(self) -> dict[str, Any]:
        """Return `{"n", "metrics", "intervals"}`, and what was requested: `"subsets"`, `"slices"`, `"by"`.

        `"groups"` is there if the split has groups. Undefined values are null.

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
            **({"slices": self.slices.to_json()} if self.slices else {}),
            **({"by": asdict(self.by)} if self.by else {}),
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
