"""Choose the members of a blend: all of them, or those of the single modality that does better without the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.blending._weights import fit_weights
from sensorium.metrics import log_losses
from sensorium.table import Floats, Rows
from sensorium.tasks import Task

PARTS = 5  # of the judged rows: the weights that judge a part are fitted on the others


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that are predicted by models that did not learn from them.

    Attributes:
        task: the task.
        truth: their encoded labels, [n, ...].
        parts: int64[n] number of the part that a row belongs to; a group is in one part only.
    """

    task: Task
    truth: npt.NDArray[Any]
    parts: Rows

    def loss(self, scores: Floats) -> float:
        """Return the mean log loss, or the mean squared error, of scores of the rows."""
        if not self.task.labels:
            return float(np.square(scores - self.truth).mean())
        return float(log_losses(self.task.outcome(scores, self.truth)).mean())

    def blended(self, scores: Sequence[Floats]) -> Floats:
        """Return the scores of a blend whose weights, for each part, are fitted on the other parts."""
        found = np.empty_like(scores[0])
        for part in np.unique(self.parts):
            rest, own = self.parts != part, self.parts == part
            weights = fit_weights(self.task, [each[rest] for each in scores], self.truth[rest])
            found[own] = sum(weight * each[own] for weight, each in zip(weights, scores, strict=True))
        return found


@dataclass(frozen=True, eq=False)
class Choice:
    """Members of a blend.

    Attributes:
        modality: the only modality that is used; empty if all are.
        members: positions of the members among the candidates.
        weights: their weights, which sum to 1.
        scores: scores of the judged rows; the weights that give them were fitted on other rows.
        loss: the loss of these scores.
        losses: name → loss of each choice that was considered; "" for all modalities.
    """

    modality: str
    members: list[int]
    weights: list[float]
    scores: Floats
    loss: float
    losses: dict[str, float]


def choose_members(judged: Judged, scores: Sequence[Floats], modalities: Sequence[Sequence[str]]) -> Choice:
    """Blend all candidates, or those of one modality if they alone do better.

    Args:
        judged: the rows that judge.
        scores: out-of-fold scores of these rows by each candidate, [n, ...].
        modalities: the modalities that each candidate reads.
    """
    offered = {"": list(range(len(scores)))}
    names = {name for read in modalities for name in read}
    for place, read in enumerate(modalities):
        if len(read) == 1 and len(names) > 1:
            offered.setdefault(read[0], []).append(place)
    found = {name: judged.blended([scores[place] for place in places]) for name, places in offered.items()}
    losses = {name: judged.loss(own) for name, own in found.items()}
    best = min(losses, key=lambda name: losses[name])
    places = offered[best]
    weights = fit_weights(judged.task, [scores[place] for place in places], judged.truth)
    kept = [(place, float(weight)) for place, weight in zip(places, weights, strict=True) if weight > 0]
    return Choice(
        modality=best,
        members=[place for place, _ in kept],
        weights=[weight for _, weight in kept],
        scores=found[best],
        loss=losses[best],
        losses=losses,
    )
