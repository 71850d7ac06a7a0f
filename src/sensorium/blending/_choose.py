"""Choose the members of a blend: all of them, or those of the single modality that does better without the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.blending._weights import fit_weights
from sensorium.metrics import log_losses, lower_is_better, score
from sensorium.model import Pool
from sensorium.table import Floats, Rows
from sensorium.tasks import Task

PARTS = 5  # of the judged rows: the weights that judge a part are fitted on the others


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that are predicted by models that did not learn from them.

    Attributes:
        pool: how the blend combines scores.
        truth: their encoded labels, [n, ...].
        parts: int64[n] number of the part that a row belongs to; a group is in one part only.
    """

    pool: Pool
    truth: npt.NDArray[Any]
    parts: Rows

    @property
    def task(self) -> Task:
        return self.pool.task

    def loss(self, scores: Floats) -> float:
        """Return the mean log loss of scores of the rows; of numbers, `metric`, where the prior replaces NaN."""
        outcome = self.task.outcome(self.pool.combine_all([scores], [1.0]), self.truth)
        if self.task.labels:
            return float(log_losses(outcome).mean())
        return float(score(self.metric, outcome)[0])

    @property
    def metric(self) -> str:
        """Return the name of the metric that `loss` computes."""
        if self.task.labels:
            return "log_loss"
        return self.task.watch if lower_is_better(self.task.watch) else "rmse"

    def blended(self, scores: Sequence[Floats], *, single: bool = False) -> Floats:
        """Return the scores of a blend whose weights, for each part, are fitted on the other parts.

        If there is one part only, they are fitted on itself.

        Args:
            scores: of each candidate.
            single: whether the best candidate gets all the weight.
        """
        found = np.empty_like(scores[0])
        for part in np.unique(self.parts):
            own = self.parts == part
            rest = own if own.all() else ~own
            weights = self.at(rest).weights([each[rest] for each in scores], single=single)
            found[own] = self.pooled([each[own] for each in scores], weights)
        return found

    def pooled(self, scores: Sequence[Floats], weights: Floats) -> Floats:
        """Return the scores of a blend with these weights; members with the weight 0 are left out."""
        used = [int(place) for place in np.flatnonzero(weights)]
        return self.pool.combine_all([scores[each] for each in used], [float(weights[each]) for each in used])

    def at(self, rows: npt.NDArray[np.bool_]) -> Judged:
        """Return some of the rows."""
        return replace(self, truth=self.truth[rows], parts=self.parts[rows])

    def weights(self, scores: Sequence[Floats], *, single: bool) -> Floats:
        """Return the weights that all rows choose."""
        if not single:
            weights = fit_weights(self.task, scores, self.truth, self.pool.prior)
            return weights if self.pool.pooling == "log" else weights / weights.sum()
        best = int(np.argmin([self.loss(own) for own in scores])) if len(self.truth) else 0
        return np.eye(len(scores))[best]


@dataclass(frozen=True, eq=False)
class Choice:
    """Members of a blend.

    Attributes:
        modality: the only modality that is used; empty if all are.
        members: positions of the members among the candidates.
        weights: their weights; those of amounts sum to 1.
        scores: scores of the judged rows; the weights that give them were fitted on other rows.
        loss: the loss of these scores.
        losses: name → loss of each choice that was considered; "" for all modalities.
        single: the loss of the best candidate alone, which other rows chose for each row.
    """

    modality: str
    members: list[int]
    weights: list[float]
    scores: Floats
    loss: float
    losses: dict[str, float]
    single: float


def choose_members(judged: Judged, scores: Sequence[Floats], modalities: Sequence[Sequence[str]]) -> Choice:
    """Choose between a blend and its best candidate alone, of all modalities or of a single one.

    Each choice is judged by rows that did not fit its weights. The simpler one is taken where two are equally good.

    Args:
        judged: the rows that judge.
        scores: out-of-fold scores of these rows by each candidate, [n, ...]; NaN for amounts without a value.
        modalities: the modalities that each candidate reads.
    """
    offered = {"": list(range(len(scores)))}
    names = {name for read in modalities for name in read}
    for place, read in enumerate(modalities):
        if len(read) == 1 and len(names) > 1:
            offered.setdefault(read[0], []).append(place)
    options = {name: _best_of(judged, [scores[place] for place in places]) for name, places in offered.items()}
    best = min(options, key=lambda name: (options[name].loss, not name))
    chosen = options[best]
    return Choice(
        modality=best,
        members=[offered[best][place] for place in np.flatnonzero(chosen.weights)],
        weights=[float(weight) for weight in chosen.weights if weight > 0],
        scores=chosen.scores,
        loss=chosen.loss,
        losses={name: option.loss for name, option in options.items()},
        single=options[""].single,
    )


@dataclass(frozen=True, eq=False)
class _Option:
    """Weights of some candidates, with the scores and the loss of weights that were fitted on other rows.

    `single` is the loss if all the weight goes to the candidate that is the best on other rows.
    """

    weights: Floats
    scores: Floats
    loss: float
    single: float


def _best_of(judged: Judged, scores: Sequence[Floats]) -> _Option:
    """Return the blend of some candidates, or the best of them if the blend is not better.

    If all rows are in one part, such as those of one group, no other rows can judge weights: then it is the best one.
    """
    choices = (True, False) if len(np.unique(judged.parts)) > 1 else (True,)
    ways = {single: judged.blended(scores, single=single) for single in choices}
    losses = {single: judged.loss(own) for single, own in ways.items()}
    best = min(losses, key=losses.__getitem__)
    return _Option(judged.weights(scores, single=best), ways[best], losses[best], losses[True])
