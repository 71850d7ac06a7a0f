"""Contract of tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.config import SelectBy, TrainConfig
from sensorium.files.state import HasState, reading_saved
from sensorium.findings import Guess, Problem
from sensorium.labels import LabelReading
from sensorium.metrics import SMALLEST, Outcome
from sensorium.table import Column, Floats
from sensorium.tasks._pool import pool

if TYPE_CHECKING:
    from torch import Tensor

Label: TypeAlias = str | int | float | bool
Temperature: TypeAlias = float | Sequence[float]  # a number, or one per target


@dataclass(frozen=True)
class EncodedTarget:
    """Labels in the form that the loss takes.

    Attributes:
        values: [n, ...]; zeros for unknown labels.
        known: bool[n].
        problems: labels that exist but cannot be used.
    """

    values: npt.NDArray[Any]
    known: npt.NDArray[np.bool_]
    problems: list[Problem]


@dataclass(frozen=True)
class Task(HasState, ABC):
    """Frozen dataclass whose fields are what the task learned from the labels.

    Class attributes:
        watch: registered metric for early stopping.

    Attributes:
        reading: conversion of the target's cells to labels.

    Example:
        >>> from sensorium.registry import tasks
        >>> from sensorium.table import open_table
        >>> column = open_table({"genre": ["crime", "drama", None, "crime"]}).column("genre")
        >>> task = tasks.load("binary").learn(column, "none")
        >>> target = task.encode(column)
        >>> target.values.tolist(), target.known.tolist()
        ([0, 1, 0, 0], [True, True, False, True])
        >>> scores = task.scores(np.zeros((2, task.outputs), np.float32))
        >>> scores.shape, task.decode(np.array([1, 0]))
        ((2, 2), ['drama', 'crime'])
    """

    watch: ClassVar[str]

    reading: LabelReading = field(default_factory=LabelReading, kw_only=True)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        """Return the task's claim on a target; the best claim wins. By default, only the setting `task` selects it."""
        return None

    @classmethod
    @abstractmethod
    def learn(cls, column: Column, class_weight: str) -> Self:
        """Learn from the labels of the training rows, as `reading` returned them."""

    def with_reading(self, reading: LabelReading) -> Self:
        """Return the task with another reading of labels."""
        return replace(self, reading=reading)

    def looked_at(self, labels: Column) -> Self:
        """Return the task with counts over the labels of every row, for its findings."""
        return self

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        fields, arrays = super().state()
        del fields["reading"]
        return fields | ({"reading": self.reading.to_json()} if self.reading != LabelReading() else {}), arrays

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Restore a task from `state`.

        Raises:
            ArtifactError: a field is missing, unknown, of another type or out of range, or two fields do not match.
        """
        with reading_saved(cls.__name__):
            reading = LabelReading.of_json(json.get("reading", {}))
        return super().restore({**json, "reading": reading}, arrays)

    def extend(self, column: Column, class_weight: str) -> tuple[Self, list[int]]:
        """Add the labels of other training rows; what was learned before is kept.

        Returns:
            The task, and the index map: the new position of each earlier logit.

        Raises:
            SchemaError: the task cannot add another label.
        """
        return self, list(range(self.outputs))

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Return the number k of logits."""

    @abstractmethod
    def encode(self, column: Column) -> EncodedTarget:
        """Encode cells of the target for the loss."""

    def each(self, target: EncodedTarget) -> dict[str, tuple[Task, EncodedTarget]]:
        """Return task and labels of each of several targets."""
        return {}

    def without_outliers(self, target: EncodedTarget, rows: npt.NDArray[np.bool_]) -> EncodedTarget:
        """Mark labels of some rows that are far from all others as unknown; only for regression."""
        return target

    @abstractmethod
    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar, from logits (b, k) and the encoded target."""

    @abstractmethod
    def scores(self, logits: npt.NDArray[np.floating[Any]]) -> Floats:
        """Return scores from logits (n, k): probabilities float64[n, classes], or values float64[n]."""

    @property
    def corrects_bias(self) -> bool:
        """Return whether scores depend on the distribution of errors, which `corrected` learns after training."""
        return False

    def corrected(self, logits: npt.NDArray[np.floating[Any]], target: npt.NDArray[Any]) -> Self:
        """Return the task with the distribution of errors of some rows, if scores depend on it.

        Args:
            logits: float32[n, k].
            target: their encoded labels.
        """
        return self

    @property
    def targets(self) -> list[str]:
        """Return the names of several targets; empty for one target."""
        return []

    @property
    def target_tasks(self) -> dict[str, str]:
        """Return the registered task of each of several targets; empty for one target."""
        return {}

    @property
    def thresholds(self) -> list[float]:
        """Return the decision threshold of the positive class, or of each label; empty for other tasks."""
        return []

    def with_thresholds(self, thresholds: Sequence[float]) -> Self:
        """Return the task with other decision thresholds, as many as `thresholds` has.

        Example:
            >>> from sensorium.registry import tasks
            >>> from sensorium.table import open_table
            >>> column = open_table({"sick": ["no", "yes"]}).column("sick")
            >>> task = tasks.load("binary").learn(column, "none").with_thresholds([0.2])
            >>> task.decode(task.predicted(np.array([[0.7, 0.3], [0.9, 0.1]])))
            ['yes', 'no']
        """
        assert not thresholds, "the task has no decision threshold"
        return self

    @property
    def has_classes(self) -> bool:
        """Return whether some scores are probabilities of classes or labels."""
        return bool(self.labels)

    def logits_of_each(self, logits: Any) -> dict[str, Any]:
        """Return the logits of each of several targets, from an array or a tensor; empty for one target."""
        return {}

    def scaled(self, logits: Any, temperature: Temperature) -> Any:
        """Divide logits (n, k), an array or a tensor, by a temperature."""
        assert isinstance(temperature, float | int), "one target has one temperature"
        return logits / float(temperature)

    def scores_of_each(self, scores: Floats) -> dict[str, Floats]:
        """Return the scores of each of several targets; empty for one target."""
        return {}

    def tempered(self, scores: Floats, temperature: Temperature) -> Floats:
        """Divide the logarithms of probabilities by a temperature, and normalise them; values are kept.

        For scores of a network, this is the same as `scores(scaled(logits, temperature))` up to rounding. It also
        suits scores that were not made from logits: those of a classical model, or an average.

        Args:
            scores: probabilities float64[n, classes], or values float64[n].
            temperature: above 0.
        """
        assert isinstance(temperature, float | int), "one target has one temperature"
        return temper(scores, float(temperature)) if self.labels and temperature != 1 else scores

    def pooled(self, scores: Sequence[Floats], weights: Sequence[float | Floats], prior: Sequence[float]) -> Floats:
        """Combine the probabilities of several models by their evidence beside the prior.

        log p = log prior + Σ weight · (log p_m − log prior), normalised: a logarithmic opinion pool (Bordley 1982, "A
        multiplicative formula for aggregating probability assessments"). With weights of 1, this is the rule of Bayes
        for models whose inputs are independent given the class, such as two modalities; models that tell the same get
        weights with a sum near 1. Not defined for values.

        Args:
            scores: of each of m models, probabilities [..., n, k].
            weights: of each model, a number or float64[..., n].
            prior: the scores of a row without any value.
        """
        return pool(scores, weights, np.asarray(prior, np.float64))

    def mixed(self, scores: Floats, prior: Sequence[float], share: Temperature) -> Floats:
        """Mix probabilities with the prior, (1 − s) · scores + s · prior; values are kept.

        Args:
            scores: probabilities float64[n, classes], or values float64[n].
            prior: the scores of a row without any value.
            share: s, from 0 to 1.
        """
        assert isinstance(share, float | int), "one target has one share"
        return (1 - share) * scores + share * np.array(prior) if self.labels and share else scores

    @abstractmethod
    def prior(self, values: npt.NDArray[Any]) -> list[float]:
        """Return the scores of a row without any value, from the encoded training labels."""

    def check_prior(self, prior: Sequence[float]) -> None:
        """Check saved scores of a row without any value, as many as the task has.

        Raises:
            ValueError: they are not such as `prior` returns. By default, scores of labels are from 0 to 1.
        """
        wrong = [score for score in prior if not 0 <= score <= 1] if self.labels else []
        if wrong:
            raise ValueError(f"a prior score of {wrong[0]:g}, which is not from 0 to 1")

    def predicted(self, scores: Floats) -> npt.NDArray[Any]:
        """Return predictions from scores: class int64[n], labels bool[n, k], or value float64[n].

        By default, the class with the highest score, or the score itself if the task has no labels.
        """
        return scores.argmax(1) if self.labels else scores

    def decode(self, predicted: npt.NDArray[Any]) -> Sequence[Any]:
        """Return predictions as labels in the user's spelling, or as values."""
        return [self.labels[place] for place in predicted] if self.labels else predicted.tolist()

    def describe(self) -> str:
        """Describe what was learned, in a few words."""
        return f"{len(self.labels)} labels" if self.labels else "a value"

    def findings(self, column: str) -> list[Problem]:
        """Return problems of the target as a whole (what was guessed, merged or left out), with `row=None`."""
        return self.reading.findings(column)

    @property
    def labels(self) -> list[Label]:
        """Return the names of the columns of `scores`; empty for a value."""
        return []

    def answers(self, scores: Floats) -> dict[str, Any]:
        """Return a table of predictions: `prediction`, and `probability_<label>` of each label."""
        probabilities = {f"probability_{label}": scores[:, k] for k, label in enumerate(self.labels)}
        return {"prediction": self.decode(self.predicted(scores)), **probabilities}

    def outcome(self, scores: Floats, truth: npt.NDArray[Any]) -> Outcome:
        """Return the input of the metrics."""
        return Outcome(truth, scores, self.predicted(scores))


def temper(probabilities: Floats, temperature: float) -> Floats:
    """Return probabilities p^(1/T) / Σ p^(1/T) over the last axis."""
    logs = np.log(np.maximum(probabilities, SMALLEST)) / temperature
    powers = np.exp(logs - logs.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def prior_scores(task: Task, prior: Sequence[float], rows: int) -> Floats:
    """Return the scores of `rows` rows without any value: the prior of each."""
    shape = (rows, len(prior)) if task.labels else (rows,)
    return np.broadcast_to(np.array(prior, np.float64), shape).copy()


def watched_metric(config: TrainConfig, task: Task) -> str:
    """Return the metric that compares models: that of the settings, else the task's."""
    return config.metric or task.watch


def selection_criterion(config: TrainConfig, task: Task) -> SelectBy:
    """Return the criterion that chooses the epoch: that of the settings.

    By default, the log loss where a target has classes and no metric is set, else the metric.
    """
    return config.select_by or ("metric" if config.metric or not task.has_classes else "log_loss")
