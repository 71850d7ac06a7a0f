"""Blend a network and classical models by their predictions of rows that they did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sensorium.blending._candidates import Candidate
from sensorium.blending._choose import PARTS, Choice, Judged, choose_members
from sensorium.blending._classical import classical_candidates
from sensorium.blending._networks import NETWORK, Train, main_network, train_networks
from sensorium.blending._time import FOLDS, FitTime, TimeLimit
from sensorium.errors import TrainingError
from sensorium.model import FittedModel, Outputs
from sensorium.model.card import BlendCandidate, BlendRecord, CalibrationSource
from sensorium.planning import Plan, PreparedTable, cut_folds, with_cells
from sensorium.runtime.progress import Reporter
from sensorium.split import Folds
from sensorium.table import Floats, Rows
from sensorium.tasks import selection_criterion
from sensorium.trials import (
    ChosenBy,
    TrialResult,
    TrialSpec,
    blend_pool,
    build_blend,
    decide_by,
    find_calibration,
    finish,
    with_calibration,
    with_conformal,
)
from sensorium.wording import blend_sentence

LARGEST = 5000  # rows up to which every member is judged by folds; above, by the validation rows


def needs_fold(plan: Plan) -> list[int] | None:
    """Return the fold that the network is trained on: the only one of a large table, None for a small one."""
    validation = len(plan.rows("validation"))
    return [0, 1] if len(plan.rows("train")) + validation > LARGEST and validation >= FOLDS[0] else None


def network_spec(plan: Plan, name: str = NETWORK, seed: int | None = None) -> TrialSpec:
    """Return the training of a network of a blend: it stops by the criterion that chooses its epoch.

    A blend is judged by log loss. After a network has memorised its rows, accuracy may creep up for many more epochs
    although its probabilities do not get better.
    """
    train = plan.config.train
    stop_by = train.stop_by or selection_criterion(train, plan.task)
    return TrialSpec(name, seed=seed, fold=needs_fold(plan), settings={"train": {"stop_by": stop_by}})


def planned_folds(plan: Plan) -> Folds:
    """Return the folds of the classical models, if their number is not reduced to save time.

    Raises:
        SchemaError: there are too few rows, groups or times.
    """
    return cut_folds(plan, fold_counts(plan)[0])


def fold_counts(plan: Plan) -> Sequence[int]:
    """Return the numbers of folds that classical models may be fitted to, the usual one first."""
    return (1,) if needs_fold(plan) else FOLDS


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
            of the first that may become a member is that of the blend.
        train: trains networks on folds.
        report: logs progress, and what is left out.
        limit: the time that the trainings may take.

    Raises:
        TrainingError: no candidate could be trained.
    """
    raw = with_cells(data, report)
    networks = train_networks(data, mains, train, report)
    time = FitTime(limit.after(networks.once, networks.spent), limit.cure)
    least = 0 if networks.candidates else 1
    classical = classical_candidates(raw, time, report, folds=fold_counts(data.plan), least=least)
    return combine(
        raw, main_network(mains), [*networks.candidates, *classical.candidates], report, folds=classical.folds
    )


def combine(
    data: PreparedTable,
    main: TrialResult,
    candidates: Sequence[Candidate],
    report: Reporter,
    *,
    folds: Folds,
    searched: bool = False,
) -> TrialResult:
    """Choose members and weights among trained candidates, and return the calibrated blend with all its outcomes.

    Args:
        data: the table, with cells that are not features of frozen encoders.
        main: the training of a network, whose card is that of the blend.
        candidates: the candidates.
        report: logs the members.
        folds: the folds of the classical models.
        searched: whether the validation rows chose the settings of the networks. With folds, only the training rows
            choose members, weights and the temperature then.

    Raises:
        TrainingError: there is no candidate.
    """
    if not candidates:
        raise main.error or TrainingError("no member of the blend could be trained")
    candidates = [_without_values(data, candidate) for candidate in candidates]
    places = np.flatnonzero(np.logical_and.reduce([candidate.judged for candidate in candidates]))
    roles = _Roles.of(data, places, folds, searched=searched)
    judged, select = roles.judged(data, folds), roles.select
    choice = choose_members(judged, [each.scores[select] for each in candidates], [each.towers for each in candidates])
    result = _assembled(data, main, candidates, choice, roles)
    record = _record(candidates, choice, judged, select, roles.how)
    fitted = replace(result.model, card=result.model.card.updated(blend=record))
    report.log(blend_sentence(record))
    if not len(roles.validate) and len(data.rows("validation")):
        report.log("? no validation row is among the rows that judge the blend, so it has no validation metrics")
    return finish(data, replace(result, fitted=fitted, blend=record))


def _without_values(data: PreparedTable, candidate: Candidate) -> Candidate:
    """Return a candidate that does not count in rows in which it has no value, as in the model.

    A classical model that learned from missing values predicts such rows, but the model does not ask it. Probabilities
    become the prior, which is no evidence; amounts become NaN (see `Pool.combine_all`).
    """
    lacking = ~data.cells.only(candidate.member.columns).has_any()
    scores = candidate.scores.copy()
    scores[lacking] = blend_pool(data.plan).prior if data.plan.task.labels else np.nan
    return replace(candidate, scores=scores)


@dataclass(frozen=True, eq=False)
class _Roles:
    """What judged rows are used for; all are predicted by models that did not learn from them.

    Attributes:
        select: rows that choose members and weights.
        calibrate: rows that fit the temperature, and sets and intervals.
        source: how the rows that calibrate were predicted.
        validate: validation rows whose predictions are the outcome of the blend.
        how: how the rows that select were predicted.
    """

    select: Rows
    calibrate: Rows
    validate: Rows
    how: str
    source: CalibrationSource

    @classmethod
    def of(cls, data: PreparedTable, places: Rows, folds: Folds, *, searched: bool) -> _Roles:
        validation = np.isin(places, data.rows("validation"))
        if len(folds) == 1:
            held = np.isin(places, folds.folds[0].judge)
            chosen = f"the {'' if searched else 'epoch of the '}network and the strength of the classical models"
            how = f"validation rows, which chose {chosen} as well; the other {int(held.sum()):,} are held out"
            return cls(places[~held], places[held], places[held & validation], how, "held_out")
        if not searched:
            return cls(places, places, places[validation], folds.how, "out_of_fold")
        if validation.all():
            return cls(places, places, places, "validation rows, which chose the network as well", "validation")
        select = places[~validation]
        how = f"{folds.how}; not the validation rows, which chose the network"
        return cls(select, select, places[validation], how, "out_of_fold")

    def judged(self, data: PreparedTable, folds: Folds) -> Judged:
        """Return the rows that select, in parts that keep groups together: the folds if all judge, or random groups."""
        plan, places = data.plan, self.select
        parts = np.zeros(len(plan.used), np.int64)
        for number, fold in enumerate(folds):
            parts[fold.judge] = number
        if 1 < len(folds) == len(np.unique(parts[places])):
            return self._judged(plan, parts[places])
        groups = places if plan.groups is None else plan.groups[places]
        codes = np.unique(groups, return_inverse=True)[1]
        order = np.random.default_rng(plan.config.seed).permutation(int(codes.max(initial=0)) + 1)
        return self._judged(plan, order[codes] % PARTS)

    def _judged(self, plan: Plan, parts: Rows) -> Judged:
        return Judged(blend_pool(plan), plan.target[self.select], parts)


def _assembled(
    data: PreparedTable, main: TrialResult, candidates: Sequence[Candidate], choice: Choice, roles: _Roles
) -> TrialResult:
    """Return the model of the chosen members, calibrated on rows that did not choose the weights of their scores."""
    plan, rows = data.plan, roles.calibrate
    members = [candidates[place].member for place in choice.members]
    fitted = build_blend(data, members, choice.weights, main.fitted, with_validation=needs_fold(plan) is None)
    scores = _pooled(candidates, choice, fitted)
    scores[roles.select] = choice.scores  # by weights that were fitted on other rows
    if plan.config.calibrate != "none" and plan.task.labels and len(rows):
        found = find_calibration(plan, Outputs.of_scores(scores[rows]), rows, fitted.prior)
        fitted = with_calibration(plan.task, fitted, found)
        used = np.union1d(rows, roles.validate)
        scaled = plan.task.tempered(scores[used], found[""].temperature)
        scores[used] = plan.task.mixed(scaled, fitted.prior, found[""].prior_share)
    if len(rows):
        fitted = with_conformal(data, fitted, plan.outcome(scores[rows], rows), rows, roles.source)
    chosen_by: ChosenBy = "out_of_fold" if roles.source == "out_of_fold" else "validation"
    fitted = decide_by(plan, fitted, scores[rows], rows, chosen_by)
    outcomes = {"validation": plan.outcome(scores[roles.validate], roles.validate)} if len(roles.validate) else {}
    return replace(main, error=None, fitted=fitted, outcomes=outcomes, judged=roles.validate)


def _pooled(candidates: Sequence[Candidate], choice: Choice, fitted: FittedModel) -> Floats:
    """Return the scores of the blend for all decoded rows; those of rows that are not judged are undefined."""
    scores = [candidates[place].scores for place in choice.members]
    return fitted.pool.combine_all(scores, choice.weights)


def _record(candidates: Sequence[Candidate], choice: Choice, judged: Judged, places: Rows, how: str) -> BlendRecord:
    total = sum(choice.weights)
    shares = {place: weight / total for place, weight in zip(choice.members, choice.weights, strict=True)}
    return BlendRecord(
        metric=judged.metric,
        judged=len(places),
        how=how,
        candidates=[
            BlendCandidate(
                name=own.name,
                modalities=list(own.towers),
                weight=shares.get(place, 0.0),
                value=judged.loss(own.scores[places]),
            )
            for place, own in enumerate(candidates)
        ],
        total=total,
        value=choice.loss,
        single=choice.single,
        modality=choice.modality or None,
        alone={name: loss for name, loss in choice.losses.items() if name},
        together=choice.losses[""],
    )
