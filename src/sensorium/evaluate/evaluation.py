"""All metrics of a task, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sensorium.evaluate.bootstrap import interval, resamples
from sensorium.metrics import Outcome, metrics_of, score
from sensorium.problems import Problems


@dataclass(frozen=True)
class Evaluation:
    """How a model did on some rows.

    Attributes:
        n: rows scored.
        metrics: name → value; NaN where it is not defined (one class only, say).
        intervals: name → bootstrap 95% interval.
        problems: cells and labels that could not be taken as they were.
        rows: which rows of the table were scored, in words.
    """

    n: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    problems: Problems = field(default_factory=Problems)
    rows: str = "all rows"

    def to_json(self) -> dict[str, Any]:
        """`{"n", "metrics", "intervals"}`, null for what is not defined."""
        return {
            "n": self.n,
            "metrics": {name: finite(value) for name, value in self.metrics.items()},
            "intervals": {name: [finite(low), finite(high)] for name, (low, high) in self.intervals.items()},
        }


def evaluate_outcome(outcome: Outcome, names: Sequence[str], seed: int = 0) -> Evaluation:
    """Every metric, and its 95% interval over resampled rows; all metrics see the same resamples.

    Of several targets, the metrics of each as well.
    """
    names = [*names, *(f"{target}.{own}" for target, part in outcome.parts.items() for own in metrics_of(part.task))]
    values = {name: float(score(name, outcome)[0]) for name in names}
    drawn: dict[str, list[Any]] = {name: [] for name in names}
    for weights in resamples(len(outcome), seed=seed):
        for name in names:
            drawn[name].append(score(name, outcome, weights))
    return Evaluation(len(outcome), values, {name: interval(np.concatenate(drawn[name])) for name in names})


def finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None
