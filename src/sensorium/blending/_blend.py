"""Blend a network and classical models by their predictions of rows that they did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sensorium.blending._candidates import Candidate
from sensorium.blending._choose import PARTS, Choice, Judged, choose_members
from sensorium.blending._classical import classical_candidates
from sensorium.blending._networks import Train, train_networks
from sensorium.blending._time import FOLDS, TimeLimit
from sensorium.errors import TrainingError
from sensorium.model import Outputs
from sensorium.model.card import BlendCandidate, BlendRecord
from sensorium.planning import Plan, PreparedTable, cut_folds, with_cells
from sensorium.runtime.progress import Reporter
from sensorium.split import Folds
from sensorium.table import Floats, Rows
from sensorium.trials import TrialResult, build_blend, find_calibration, finish, with_calibration
from sensorium.wording import blend_sentence

LARGEST = 5000  # rows up to which every member is judged by folds; above, by the validation rows


def needs_fold(plan: Plan) -> list[int] | None:
    """Return the fold that the network is trained on: the only one of a large table, None for a small one."""
    validation = len(plan.rows("validation"))
    return [0, 1] if len(plan.rows("train")) + validation > LARGEST and validation >= FOLDS[0] else None


def planned_folds(plan: Plan) -> Folds:
    """Return the folds of the classical models, if their number is not reduced to save time.

    Raises:
        SchemaError: there are too few rows, groups or times.
    """
    return cut_folds(plan, 1 if needs_fold(plan) else FOLDS[0])


def blend(
    data: PreparedTable, mains: Sequence[TrialResult], train: Train, report: Reporter, *, limit: TimeLimit
) -> TrialResult:
    """Blend networks with classical models (stacking, Wolpert 1992), with the weights of `fit_weights`.

    Every row that chooses members, weights or a temperature is predicted by models that did not learn from it. With up
    to `LARGEST` labelled rows, these are all training and validation rows, by cross-validation; classical models are
    fitted on all of them in the end. With more, one half of the validation rows chooses the epoch of the network, the
    strength of classical models, members and weights, and the other half calibrates. If one modality alone does better
    than all together, only its models are used.

    Args:
        data: the table.
        mains: a training of each network, on the fold that `needs_fold` returns; `error` is set if it failed. The card
            of the first is that of the blend.
        train: trains networks on folds.
        report: logs progress, and what is left out.
        limit: the time that the trainings may take.

    Raises:
        TrainingError: no candidate could be trained.
    """
    raw, main = with_cells(data, report), mains[0]
    networks = train_networks(data, mains, train, report)
    allowed = limit.after(networks.once, networks.spent)
    counts, least = (1,) if needs_fold(data.plan) else FOLDS, 0 if networks.candidates else 1
    classical, folds = classical_candidates(raw, limit, allowed, report, folds=counts, least=least)
    candidates = [*networks.candidates, *classical]
    if not candidates:
        raise main.error or TrainingError("no member of the blend could be trained")
    places = np.flatnonzero(np.logical_and.reduce([candidate.judged for candidate in candidates]))
    roles = _Roles.of(raw, places, folds)
    select = roles.select
    choice = choose_members(
        roles.judged(raw, folds), [each.scores[select] for each in candidates], [each.towers for each in candidates]
    )
    result = _assembled(raw, main, candidates, choice, roles)
    record = _record(candidates, choice, roles.judged(raw, folds), select, folds.how)
    fitted = replace(result.model, card=result.model.card.updated(blend=record))
    report.log(blend_sentence(record))
    return finish(raw, replace(result, fitted=fitted, blend=record))


@dataclass(frozen=True, eq=False)
class _Roles:
    """Rows that choose members and weights, and rows that fit the temperature; the same if all are judged by folds."""

    select: Rows
    calibrate: Rows

    @classmethod
    def of(cls, data: PreparedTable, places: Rows, folds: Folds) -> _Roles:
        if len(folds) > 1:
            return cls(places, places)
        held = np.isin(places, folds.folds[0].judge)
        return cls(places[~held], places[held])

    def judged(self, data: PreparedTable, folds: Folds) -> Judged:
        """Return the rows that select, in parts that keep groups together: the folds, or groups at random."""
        plan, places = data.plan, self.select
        if len(folds) > 1:
            parts = np.zeros(len(plan.used), np.int64)
            for number, fold in enumerate(folds):
                parts[fold.judge] = number
            return Judged(plan.task, plan.target[places], parts[places])
        groups = places if plan.groups is None else plan.groups[places]
        codes = np.unique(groups, return_inverse=True)[1]
        order = np.random.default_rng(plan.config.seed).permutation(int(codes.max(initial=0)) + 1)
        return Judged(plan.task, plan.target[places], order[codes] % PARTS)


def _assembled(
    data: PreparedTable, main: TrialResult, candidates: Sequence[Candidate], choice: Choice, roles: _Roles
) -> TrialResult:
    """Return the model of the chosen members, calibrated on rows that did not choose the weights of their scores."""
    plan, places = data.plan, roles.calibrate
    members = [candidates[place].member for place in choice.members]
    fitted = build_blend(data, members, choice.weights, main.fitted)
    scores = choice.scores if roles.calibrate is roles.select else _weighted(candidates, choice, places)
    if plan.config.calibrate != "none" and plan.task.labels and len(places):
        found = find_calibration(plan, Outputs.of_scores(scores), places, fitted.prior)
        fitted = with_calibration(plan.task, fitted, found)
        scores = plan.task.tempered(scores, found[""].temperature)
        scores = plan.task.mixed(scores, fitted.prior, found[""].prior_share)
    own = np.isin(places, data.rows("validation"))
    outcomes = {"validation": plan.outcome(scores[own], places[own])} if own.any() else {}
    return replace(main, error=None, fitted=fitted, outcomes=outcomes, judged=places[own])


def _weighted(candidates: Sequence[Candidate], choice: Choice, places: Rows) -> Floats:
    parts = zip(choice.members, choice.weights, strict=True)
    return np.sum([weight * candidates[place].scores[places] for place, weight in parts], axis=0)


def _record(candidates: Sequence[Candidate], choice: Choice, judged: Judged, places: Rows, how: str) -> BlendRecord:
    weights = dict(zip(choice.members, choice.weights, strict=True))
    return BlendRecord(
        metric=judged.metric,
        judged=len(places),
        how=how,
        candidates=[
            BlendCandidate(
                name=own.name,
                modalities=list(own.towers),
                weight=weights.get(place, 0.0),
                value=judged.loss(own.scores[places]),
            )
            for place, own in enumerate(candidates)
        ],
        value=choice.loss,
        single=choice.single,
        modality=choice.modality or None,
        alone={name: loss for name, loss in choice.losses.items() if name},
        together=choice.losses[""],
    )
