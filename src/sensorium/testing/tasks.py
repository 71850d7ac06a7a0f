"""Check the contract of tasks."""

from __future__ import annotations

import json

import numpy as np
import torch

from sensorium.metrics import metrics_of, score
from sensorium.registry import tasks
from sensorium.registry.traits import TRAITS, traits_of
from sensorium.table import Column
from sensorium.tasks import Task, is_value


def check_task(name: str, column: Column) -> None:
    """Run every check.

    Args:
        name: registered name.
        column: labels of that task, at least one missing.

    Raises:
        AssertionError: a check fails; the message says which.

    Example:
        >>> from sensorium.table import open_table
        >>> from sensorium.testing import check_task
        >>> labels = open_table({"label": ["yes", "no", None, "no"] * 10}).column("label")
        >>> check_task("binary", labels)
    """
    kind = tasks.load(name)
    guess = kind.looks_like(column)
    if kind.looks_like.__func__ is not Task.looks_like.__func__:  # type: ignore[attr-defined]  # of a class method
        assert guess and guess.reason, f"{name} does not claim its own labels, or gives no reason"
    task: Task = kind.learn(column, "auto")
    target = task.encode(column)
    assert target.known.tolist() == column.present.tolist(), "`known` does not match the labels that exist"
    _check_loss(task, target.values[target.known])
    _check_scores(task, target.values[target.known])
    _check_spelling(task, column, target.values[target.known])
    _check_state(task, column)
    _check_traits(name, task, target.values[target.known])
    assert kind.watch in metrics_of(name), f"watches {kind.watch!r}, which does not measure {name}"


def _check_spelling(task: Task, column: Column, values: np.ndarray) -> None:
    """Check that decoded predictions are the labels as the user wrote them, in any order for several labels."""
    zeros = np.zeros((len(values), task.outputs), np.float32)
    answers = list(task.decode(task.outcome(task.scores(zeros), values).truth))
    for found, written in zip(answers, column.values.to_pylist(), strict=True):
        same = sorted(found) == sorted(written) if isinstance(written, list) else found == written
        assert same, f"the label {written!r} is decoded as {found!r}"


def _check_loss(task: Task, values: np.ndarray) -> None:
    logits = torch.zeros(len(values), task.outputs, requires_grad=True)
    target = torch.from_numpy(values)
    first = task.loss(logits, target)
    assert first.shape == () and first.isfinite(), "the loss is not a finite scalar"
    optimizer = torch.optim.Adam([logits], 0.1)
    for _ in range(200):
        optimizer.zero_grad()
        task.loss(logits, target).backward()
        optimizer.step()
    assert task.loss(logits, target) < 0.5 * first, "the loss does not fall when logits follow it"
    outcome = task.outcome(task.scores(logits.detach().numpy()), values)
    best = score(task.watch, outcome)[0]
    start = score(task.watch, task.outcome(task.scores(np.zeros_like(logits.detach().numpy())), values))[0]
    assert best != start, f"logits with the lowest loss do not improve {task.watch}"


def _check_scores(task: Task, values: np.ndarray) -> None:
    scores = task.scores(np.random.default_rng(0).normal(size=(len(values), task.outputs)).astype(np.float32))
    assert len(scores) == len(values) and np.isfinite(scores).all(), "scores are not one finite number per row"
    if task.labels:
        assert scores.shape == (len(values), len(task.labels)), "scores are not one probability per label"
        assert ((scores >= 0) & (scores <= 1)).all(), "probabilities are not between 0 and 1"
    answers = task.decode(task.predicted(scores))
    assert len(answers) == len(values), "one answer a row"
    assert len(task.prior(values)) == max(1, len(task.labels)), "the prior is not one score per label"


def _check_traits(name: str, task: Task, values: np.ndarray) -> None:
    """Check that the traits that the file of the task states are those of its scores."""
    traits = traits_of(name)
    assert traits <= {*TRAITS}, f"unknown traits: {', '.join(sorted(traits - {*TRAITS}))}; known: {', '.join(TRAITS)}"
    assert ("an amount" in traits) == is_value(name), "the trait `an amount` is that of subclasses of `Value`"
    assert not traits - {"an amount"} or task.labels, "traits of classes, but no labels"
    if "one class" in traits:
        scores = task.scores(np.random.default_rng(1).normal(size=(len(values), task.outputs)).astype(np.float32))
        assert np.allclose(scores.sum(1), 1), "the trait `one class`, but probabilities do not sum to 1"
    if "class logits" in traits:
        assert task.outputs == (1 if len(task.labels) == 2 and values.ndim == 1 else len(task.labels)), (
            "the trait `class logits`, but the number of logits is not that of labels"
        )


def _check_state(task: Task, column: Column) -> None:
    fields, arrays = task.state()
    again = type(task).restore(json.loads(json.dumps(fields)), arrays)
    found, before = again.encode(column).values, task.encode(column).values
    np.testing.assert_array_equal(found, before, "a task restored from its state encodes labels differently")
