"""Combine the scores of several members: by a weighted mean, or by their evidence beside the prior.

Members without a value in a row do not count there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from sensorium.errors import ConfigError
from sensorium.model.member import Member, Present, Scores
from sensorium.tasks import Task

Pooling: TypeAlias = Literal["mean", "log"]

ROUNDING = 1e-6  # by which a sum of weights may differ from 1


def equal_weights(count: int) -> list[float]:
    """Return the weights of an ensemble, whose members count alike."""
    return [1 / count] * count


def check_weights(members: Sequence[Member], weights: Sequence[float], pooling: Pooling) -> None:
    """Check the weights of the members of a model.

    Raises:
        ConfigError: there is no member, not one weight per member, a weight is not above 0, or the sum of weights of a
            mean is not 1.
    """
    rule = "one weight above 0 per member" + (", with the sum 1" if pooling == "mean" else "")
    if not members:
        raise ConfigError("a fitted model has no members", place="members", rule="one or more")
    if len(weights) != len(members):
        raise ConfigError(f"{len(weights)} weights for {len(members)} members", place="member_weights", rule=rule)
    is_off = pooling == "mean" and abs(sum(weights) - 1) > ROUNDING
    if is_off or not all(math.isfinite(weight) and weight > 0 for weight in weights):
        found = ", ".join(f"{weight:g}" for weight in weights)
        raise ConfigError(f"the weights {found}", place="member_weights", rule=rule, cure="leave out unused members")


@dataclass(frozen=True)
class Pool:
    """How the scores of members are combined.

    Attributes:
        task: the task.
        pooling: `mean`, over the members that have a value in the row; `log` for probabilities, see `Task.pooled`.
        prior: the scores of a row without any value.
    """

    task: Task
    pooling: Pooling
    prior: Sequence[float]

    def combine(
        self, scores: Sequence[Scores], present: Sequence[Present], weights: Sequence[float]
    ) -> tuple[Scores, Present]:
        """Combine the scores of members, row by row; a single member keeps its scores.

        Args:
            scores: of each member, float64[..., n, k] probabilities or float64[..., n] values.
            present: of each member, bool[..., n]: whether it has a value in the row. Without one, it does not count.
            weights: of each member, above 0.

        Returns:
            The scores, and whether any member has a value in the row.
        """
        if self.pooling == "mean" or len(scores) == 1:
            return _mean(scores, present, weights)
        shares = [np.where(there, weight, 0.0) for there, weight in zip(present, weights, strict=True)]
        given = [np.where(_beside(there, own), own, 1.0) for there, own in zip(present, scores, strict=True)]
        return self.task.pooled(given, shares, self.prior), np.logical_or.reduce(present)

    def combine_all(self, scores: Sequence[Scores], weights: Sequence[float]) -> Scores:
        """Combine the scores of members; one whose score is NaN does not count, and rows without any get the prior."""
        present = [np.asarray(~np.isnan(own).any(tuple(range(1, own.ndim))), np.bool_) for own in scores]
        combined, there = self.combine(scores, present, weights)
        return np.where(_beside(there, combined), combined, np.asarray(self.prior, np.float64))


def _mean(scores: Sequence[Scores], present: Sequence[Present], weights: Sequence[float]) -> tuple[Scores, Present]:
    """Average the scores of members, row by row, with their weights.

    A member without a value in a row does not count there: its weight goes to the others, in proportion to theirs.

    Args:
        scores: of each member, float64[..., n, k] probabilities or float64[..., n] values.
        present: of each member, bool[..., n]: whether it has a value in the row.
        weights: of each member, above 0.

    Returns:
        The mean, 0 in rows where no member has a value, and whether any has one.
    """
    if len(scores) == 1:
        return scores[0], present[0]
    largest = max(weights)  # equal weights become 1: the plain mean, to the last bit
    mean, total = np.zeros_like(scores[0]), np.zeros(present[0].shape)
    for own, there, weight in zip(scores, present, weights, strict=True):
        share = np.where(there, weight / largest, 0.0)
        total += share
        mean += _beside(share, own) * np.where(_beside(there, own), own, 0.0)
    return mean / _beside(np.where(total > 0, total, 1.0), mean), total > 0


def _beside(rows: Scores | Present, scores: Scores) -> Scores | Present:
    """Return values of rows in the shape of their scores."""
    return rows[..., None] if rows.ndim < scores.ndim else rows
