"""Candidates of a blend: a network, and classical models of all columns and of each modality alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.baselines import Baseline, Job, Summaries, cross_fit, fit_selected, left_out, summarize
from sensorium.model import EstimatorMember, Member
from sensorium.planning import PreparedTable, cut_folds
from sensorium.runtime.progress import Reporter
from sensorium.split import Folds
from sensorium.table import Floats, Rows
from sensorium.trials import TrialResult, TrialSpec, estimate_seconds

Train: TypeAlias = Callable[[Sequence[TrialSpec]], Iterable[TrialResult]]
Towers: TypeAlias = Mapping[str, Sequence[str]]

NETWORK = "network"
CLASSICAL = ("linear", "trees")
MOST_SINGLES = 6  # modalities of which each gets classical models of its own
SECONDS = {5: 20.0, 3: 30.0}  # folds → seconds that all trainings of the network may take by estimate; else two folds


@dataclass(frozen=True, eq=False)
class Candidate:
    """Model that may become a member of a blend.

    Attributes:
        name: name for reports, such as `linear (review)`.
        towers: the modalities that it reads.
        scores: scores of all decoded rows, [n, ...]; undefined for rows that are not judged.
        judged: bool[n], whether a row was predicted by a model that did not learn from it.
        member: the fitted model.
    """

    name: str
    towers: Sequence[str]
    scores: Floats
    judged: npt.NDArray[np.bool_]
    member: Member


def network_candidate(data: PreparedTable, main: TrialResult, train: Train) -> Candidate:
    """Return the network, with out-of-fold scores.

    Args:
        data: the table.
        main: the training of the network, of a fold or of the whole table.
        train: trains networks: for a whole table, one on each fold.

    Raises:
        TrainingError: the training on a fold failed.
    """
    if main.spec.fold is None:
        count = network_folds(estimate_seconds(data, main))
        folds = cut_folds(data.plan, count).folds
        specs = [
            replace(main.spec, name=_name(main.spec.name, k, len(folds)), fold=[k, count]) for k in range(len(folds))
        ]
        found = [(fold.judge, _tested(result)) for result, fold in zip(train(specs), folds, strict=True)]
    else:
        own = main.spec.data(data)
        found = [(own.rows(split), outcome.scores) for split, outcome in main.outcomes.items()]
    rows, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _candidate(main.spec.name, main.model.towers, rows, scores, main.model.first, len(data.plan.used))


def network_folds(seconds: float) -> int:
    """Return the number of folds to train networks on, if one training takes so many seconds.

    Trainings on k folds of (k - 1) / k of the rows each, and the one on all rows, take about k times as long as one.
    """
    return next((count for count, most in SECONDS.items() if count * seconds <= most), 2)


def classical_candidates(data: PreparedTable, folds: Folds, report: Reporter) -> Iterator[Candidate]:
    """Yield fitted classical models, of all columns and of each modality.

    With several folds, the models learn from all of their rows, which they also predict out of fold. With a single one,
    they learn from the training rows, one half of the validation rows chooses their strength, and they predict both.

    Args:
        data: the table, with cells that are not features of frozen encoders.
        folds: the folds.
        report: logs what is left out.
    """
    plan, cells = data.plan, summarize(data.cells.only(data.plan.learnt))
    towers: Towers = {tower.name: list(tower.columns) for tower in plan.blueprint.towers}
    rows = sum(len(fold.learn) for fold in folds)
    alone: list[Towers] = [{name: columns} for name, columns in towers.items()]
    for kind in CLASSICAL:
        for read in [towers, *(alone if 1 < len(towers) <= MOST_SINGLES else [])]:
            own = cells.only([name for columns in read.values() for name in columns])
            name = kind if len(read) == len(towers) else f"{kind} ({next(iter(read))})"
            if reason := left_out(kind, plan.labels.task_name, own, rows, plan.task.outputs):
                report.log(f"? {name} is left out of the blend: {reason}")
                continue
            with report.phase(f"fitting {name}"):
                judged, scores, estimator = _fit(data, kind, own, folds)
            yield _candidate(name, list(read), judged, scores, EstimatorMember(kind, estimator, read), len(plan.used))


def _fit(data: PreparedTable, kind: str, cells: Summaries, folds: Folds) -> tuple[Rows, Floats, Baseline]:
    """Fit a classical model, and return rows, their scores by a model that did not learn from them, and the model."""
    plan, train = data.plan, data.rows("train")
    learned = np.union1d(train, data.rows("validation")) if len(folds) > 1 else train
    job = Job(cells, plan.target, learned, plan.task, plan.config.seed, plan.threads.most)
    if len(folds) > 1:
        found = cross_fit(kind, job, folds.folds)
        assert found.estimator is not None
        return found.rows, found.scores, found.estimator
    (fold,) = folds
    select = np.setdiff1d(fold.learn, train)
    found = fit_selected(kind, job, select)
    assert found.estimator is not None
    others = found.estimator.scores(plan.task, cells, fold.judge)
    return np.concatenate([found.rows, fold.judge]), np.concatenate([found.scores, others]), found.estimator


def _candidate(name: str, towers: Sequence[str], rows: Rows, scores: Floats, member: Member, count: int) -> Candidate:
    """Return a candidate, with the scores of some rows at their places among all."""
    found, judged = np.zeros((count, *scores.shape[1:])), np.zeros(count, np.bool_)
    found[rows], judged[rows] = scores, True
    return Candidate(name, towers, found, judged, member)


def _tested(result: TrialResult) -> Floats:
    """Return the scores of the rows that a fold judges, or raise the error of a failed training."""
    if result.error is not None:
        raise result.error
    return result.outcomes["test"].scores


def _name(network: str, fold: int, count: int) -> str:
    return f"{network}, fold {fold + 1} of {count}"
