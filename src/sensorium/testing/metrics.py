"""Check the contract of metrics."""

from __future__ import annotations

import numpy as np

from sensorium.metrics import Outcome, Part, best_value, rank_value, score, worst_value
from sensorium.registry import metrics
from sensorium.registry.traits import suited_tasks

CLOSE = 1e-9


def check_metric(name: str, seed: int = 0) -> None:
    """Run every check for each task that the metric measures.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.testing import check_metric
        >>> check_metric('accuracy')
    """
    entry = metrics.entry(name)
    named = entry.literal("TASKS", ())
    assert named, f"{entry.path.name} has no literal TASKS"
    best, worst = best_value(name), worst_value(name)
    for task in suited_tasks(named):
        outcome = make_outcome(task, seed)
        random = np.random.default_rng(seed)
        plain = score(name, outcome)
        if best is not None:
            assert rank_value(name, float(plain[0])) <= rank_value(name, best), f"{name} of {task} rows exceeds BEST"
        if worst is not None:
            assert rank_value(name, float(plain[0])) >= rank_value(name, worst), f"{name} of {task} rows is below WORST"
        assert plain.shape == (1,) and np.isfinite(plain).all(), f"{name} of ordinary {task} rows is not a number"
        counts = random.integers(0, 4, (5, len(outcome))).astype(np.float64)
        weighted = score(name, outcome, counts)
        assert weighted.shape == (5,), f"{name} returns the shape {weighted.shape} for 5 weightings"
        for found, count in zip(weighted, counts.astype(np.int64), strict=True):
            repeated = score(name, outcome.take(np.repeat(np.arange(len(outcome)), count)))[0]
            assert abs(found - repeated) < CLOSE, f"a row of weight k does not count like k rows ({task})"
        order = random.permutation(len(outcome))
        assert abs(score(name, outcome.take(order))[0] - plain[0]) < CLOSE, f"the order of rows changes {name} ({task})"


def make_outcome(task: str, seed: int = 0, rows: int = 60) -> Outcome:
    """Make random truth and scores of a built-in task, with ties among the scores."""
    random = np.random.default_rng(seed)
    if task == "regression":
        truth = random.normal(size=rows)
        scores = truth + random.normal(size=rows)
        return Outcome(truth, scores, scores)
    if task == "count":
        scores = random.gamma(2.0, 1.0, rows)
        return Outcome(random.poisson(scores).astype(np.float64), scores, scores)
    if task == "multilabel":
        scores = random.random((rows, 4)).round(2)
        return Outcome(random.random((rows, 4)) < 0.4, scores, scores >= 0.5)
    if task == "several":
        parts = {
            kind: Part(kind, main, random.random(rows) < 0.8, make_outcome(kind, seed, rows))
            for kind, main in (("multiclass", "accuracy"), ("regression", "r2"))
        }
        return Outcome(np.zeros((rows, 2)), np.zeros((rows, 5)), np.zeros((rows, 2)), parts)
    classes = 2 if task == "binary" else 4
    scores = random.dirichlet(np.ones(classes), rows).round(2) + 1e-3
    scores /= scores.sum(1, keepdims=True)
    return Outcome(random.integers(0, classes, rows), scores, scores.argmax(1))
