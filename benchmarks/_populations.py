"""Populations of rows with truth and predictions, from which samples are drawn: one per task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from sensorium.metrics import Outcome, Part

COMMON = 0.3  # share of the variance that rows of a group have in common
CUTS = np.array([-1.2, -0.4, 0.4, 1.4])  # between ordered classes


def draw_outcome(task: str, random: Generator, rows: int, groups: int | None) -> Outcome:
    """Draw rows of a population: independent ones, or groups of unequal sizes whose rows are alike."""
    if groups is None:
        return POPULATIONS[task](Effects(random, np.arange(rows), 0.0))
    sizes = random.multinomial(rows - groups, np.ones(groups) / groups) + 1
    labels = np.repeat(np.arange(groups), sizes)
    return POPULATIONS[task](Effects(random, labels, COMMON)).grouped(labels)


class Effects:
    """Standard normal values of rows, of which groups share a part."""

    def __init__(self, random: Generator, groups: np.ndarray, common: float) -> None:
        self.random, self.groups, self.common = random, groups, common

    def __len__(self) -> int:
        return len(self.groups)

    def normal(self, columns: int) -> np.ndarray:
        """Return float64[n, columns]."""
        shared = self.random.normal(size=(int(self.groups.max()) + 1, columns))[self.groups]
        own = self.random.normal(size=(len(self), columns))
        return np.sqrt(self.common) * shared + np.sqrt(1 - self.common) * own


def binary(effects: Effects) -> Outcome:
    """Return two classes, 33% positive, ROC AUC 0.81, with overconfident probabilities."""
    known, unknown = effects.normal(2).T
    logit = 1.6 * known - 1.1
    truth = effects.random.random(len(effects)) < sigmoid(logit + 0.8 * unknown)
    positive = sigmoid(1.3 * logit + 0.2)
    scores = np.stack([1 - positive, positive], 1)
    return Outcome(truth.astype(np.int64), scores, (positive >= 0.5).astype(np.int64))


def multiclass(effects: Effects, classes: int = 4) -> Outcome:
    """Return four classes, the first one the most frequent, with overconfident probabilities."""
    logits = 1.5 * effects.normal(classes) + np.log(np.arange(classes, 0, -1.0))
    chances = softmax(logits + 0.5 * effects.normal(classes)).cumsum(1)
    truth = (chances < effects.random.random((len(effects), 1))).sum(1).clip(0, classes - 1)
    scores = softmax(1.3 * logits)
    return Outcome(truth, scores, scores.argmax(1))


def ordinal(effects: Effects) -> Outcome:
    """Return five ordered classes: intervals of a normally distributed value."""
    known, unknown = effects.normal(2).T
    truth = ((known + 0.6 * unknown)[:, None] > CUTS).sum(1)
    below = sigmoid(1.7 * (CUTS - known[:, None]) / 0.5)
    edges = np.ones((len(effects), 1))
    scores = np.diff(np.hstack([0 * edges, below, edges]), axis=1) + 1e-4
    scores /= scores.sum(1, keepdims=True)
    return Outcome(truth, scores, scores.argmax(1))


def multilabel(effects: Effects, labels: int = 5) -> Outcome:
    """Return five labels, from half of the rows to an eighth, with overconfident probabilities."""
    logits = 1.5 * effects.normal(labels) + np.linspace(0, -2.2, labels)
    truth = effects.random.random(logits.shape) < sigmoid(logits + 0.6 * effects.normal(labels))
    scores = sigmoid(1.3 * logits)
    return Outcome(truth, scores, scores >= 0.5)


def regression(effects: Effects) -> Outcome:
    """Return amounts with normal errors, larger for unusual ones; R² is 0.78."""
    known, unknown, noise = effects.normal(3).T
    values = 10 + 3 * known
    truth = values + unknown + (1 + 0.3 * np.abs(known)) * noise
    predicted = 0.95 * values + 0.4
    return Outcome(truth, predicted, predicted)


def heavy_tails(effects: Effects) -> Outcome:
    """Return amounts with errors of Student's t-distribution with 5 degrees of freedom."""
    known, _ = effects.normal(2).T
    values = 10 + 3 * known
    truth = values + 1.5 * effects.random.standard_t(5, len(effects))
    return Outcome(truth, values, values)


def count(effects: Effects) -> Outcome:
    """Return counts with a Poisson distribution of lognormal means; R² is 0.45."""
    known, unknown = effects.normal(2).T
    means = np.exp(0.8 + 0.5 * known)
    truth = effects.random.poisson(means * np.exp(0.2 * unknown - 0.02)).astype(np.float64)
    return Outcome(truth, means, means)


def several(effects: Effects) -> Outcome:
    """Return two targets, of which 80% of the rows have a label each."""
    parts = {
        name: Part(name, main, effects.random.random(len(effects)) < 0.8, POPULATIONS[name](effects))
        for name, main in (("multiclass", "accuracy"), ("regression", "r2"))
    }
    empty = np.zeros((len(effects), 2))
    return Outcome(empty, empty, empty, parts)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


POPULATIONS: dict[str, Callable[[Effects], Outcome]] = {
    "binary": binary,
    "multiclass": multiclass,
    "ordinal": ordinal,
    "multilabel": multilabel,
    "regression": regression,
    "count": count,
    "several": several,
    "heavy_tails": heavy_tails,
}
"""Name of a task (`heavy_tails` is one of regression) → function that draws outcomes."""
