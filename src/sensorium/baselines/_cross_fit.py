"""Fit a baseline with out-of-fold predictions; its strength is chosen by rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.baselines._answers import (
    answers,
    count_outputs,
    error_points,
    standardise,
    with_errors,
)
from sensorium.baselines._base import Baseline, Model, Path, Sample, useful_threads
from sensorium.baselines._features import FlatColumns
from sensorium.baselines._job import Job
from sensorium.prepare.summaries import Summaries, summarize
from sensorium.registry import baselines
from sensorium.split import Fold
from sensorium.table import Floats, Rows

WORSE = 2  # places in a row whose losses are higher than the one before, after which a path ends


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """Out-of-fold predictions of a baseline, and the fitted model.

    Attributes:
        rows: int64[m]: the judged rows of each fold, one fold after the other.
        scores: float64[m, ...] of these rows, like `Task.scores`, each by a model that did not learn from the row.
        estimator: the model of all rows, or of the rows to learn from of a single fold; None if there are several folds
            and it was not fitted.
        places: the chosen place on the path, of each target.
        loss: mean over the judged rows and targets of the log loss, of the Poisson deviance, or of the squared error of
            `scores`, in `Job.unit`; NaN without judged rows.
    """

    rows: Rows
    scores: Floats
    estimator: Baseline | None
    places: list[int]
    loss: float


def cross_fit(kind: str, job: Job, folds: Sequence[Fold], *, refit: bool = True) -> CrossFitted:
    """Fit a baseline in each fold, choose its strength, and fit it on all rows.

    A path of models of growing complexity is fitted in each fold, on its rows to learn from alone: so are vocabularies,
    scales and components. The place on the path of a fold is chosen by the losses of the other folds, so that the rows
    of a fold did not choose the model that predicts them; a single fold chooses by its own rows. The final place is
    chosen by the losses of all folds. Paths end when the loss was higher twice in a row.

    Args:
        kind: registered name.
        job: columns, target and rows.
        folds: rows to learn from and to judge by, as positions in the columns.
        refit: whether to fit the final model on `job.rows`. Otherwise, that of a single fold is returned.
    """
    from threadpoolctl import threadpool_limits

    member: type[Baseline] = baselines.load(kind)
    cells = summarize(job.cells)
    with threadpool_limits(_threads(job, cells)):
        sides = [_Side.learn(member, job, cells, fold) for fold in folds]
        found = [_Found.search(member, job, sides, target) for target in job.targets]
        estimator = None
        if refit:
            whole = _Side.learn(member, job, cells, Fold(job.rows, job.rows[:0]))
            estimator = whole.fit(member, job, found)
        elif len(sides) == 1:
            models = [each.paths[0].model(each.place) for each in found]
            estimator = sides[0].assemble(member, job, models, found[0].errors(job))
    rows = np.concatenate([job.rows[:0], *(fold.judge for fold in folds)])
    scores = [each.scores(job) for each in found]
    together = np.stack([each[:, 1] for each in scores], 1) if job.several else scores[0]
    losses = [job.loss(own, target[rows]) for own, target in zip(scores, job.targets, strict=True)]
    mean = sum(losses) / (len(rows) * len(scores)) if len(rows) else float("nan")
    return CrossFitted(rows, together, estimator, [each.place for each in found], mean)


def fit_selected(kind: str, job: Job, select: Rows) -> CrossFitted:
    """Fit a baseline on the rows of a job; other rows, whose scores are returned, choose its strength."""
    return cross_fit(kind, job, [Fold(job.rows, select)], refit=False)


def fold_losses(kind: str, jobs: Sequence[Job], folds: Sequence[Fold]) -> Floats:
    """Return float64[jobs, folds]: the mean loss of the judged rows of each fold, each by a model of other folds.

    Args:
        kind: registered name.
        jobs: jobs that differ in the task alone, such as in the transform of the target; features are learned once.
        folds: as for `cross_fit`.
    """
    from threadpoolctl import threadpool_limits

    member: type[Baseline] = baselines.load(kind)
    first, ends = jobs[0], np.cumsum([len(fold.judge) for fold in folds])[:-1]
    truth = first.target[np.concatenate([fold.judge for fold in folds])]
    found = list[list[float]]()
    cells = summarize(first.cells)
    with threadpool_limits(_threads(first, cells)):
        sides = [_Side.learn(member, first, cells, fold) for fold in folds]
        for job in jobs:
            scores = _Found.search(member, job, sides, job.target).scores(job)
            parts = zip(np.split(scores, ends), np.split(truth, ends), strict=True)
            found.append([job.loss(own, true) / len(true) for own, true in parts])
    return np.array(found)


@dataclass(frozen=True, eq=False)
class _Side:
    """Features of a fold, its matrices, and what paths share that are fitted to them."""

    fold: Fold
    features: FlatColumns
    known: Any
    asked: Any
    shared: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def learn(cls, member: type[Baseline], job: Job, cells: Summaries, fold: Fold) -> _Side:
        own = cells.take(fold.learn)
        features = job.blocks.learn(own, fold.learn, member.form, job.seed)
        return cls(fold, features, features.apply(own), features.apply(cells.take(fold.judge)))

    def path(self, member: type[Baseline], job: Job, target: npt.NDArray[Any]) -> Path:
        """Return the path of one target."""
        seen, own = self.seen(job, target), target[self.fold.learn]
        codes = np.searchsorted(seen, own.astype(np.int64)) if job.classes else standardise(job.task, own)
        outputs, levels = count_outputs(len(seen)), self.features.levels
        weights = job.weights[self.fold.learn]
        sample = Sample(self.known, levels, codes, weights, outputs, len(seen), job.seed, job.threads)
        return member.path(replace(sample, distribution=job.distribution, shared=self.shared))

    def seen(self, job: Job, target: npt.NDArray[Any]) -> list[int]:
        """Return the classes of the rows to learn from; empty for a value."""
        return np.unique(target[self.fold.learn].astype(np.int64)).tolist() if job.classes else []

    def loss(self, job: Job, target: npt.NDArray[Any], raw: Floats) -> float:
        """Return the loss of raw scores of the judged rows."""
        scores = answers(raw, self.seen(job, target), job.classes, with_errors(job.task, ()))
        return job.loss(scores, target[self.fold.judge])

    def fit(self, member: type[Baseline], job: Job, found: Sequence[_Found]) -> Baseline:
        """Fit the model of each target up to its place."""
        models = []
        for each in found:
            path = self.path(member, job, each.target)
            for _ in islice(path.steps(self.asked), each.place + 1):
                pass
            models.append(path.model(each.place))
        return self.assemble(member, job, models, found[0].errors(job))

    def assemble(self, member: type[Baseline], job: Job, models: list[Model], errors: list[float]) -> Baseline:
        seen = [self.seen(job, target) for target in job.targets]
        return member(self.features, job.classes, job.several, seen, models, errors)


@dataclass(frozen=True, eq=False)
class _Found:
    """Paths of one target in all folds, and the chosen places.

    Attributes:
        target: of all rows.
        sides: the folds.
        paths: of each fold.
        stages: place → the raw scores of the judged rows of each fold.
        losses: float64[places, folds], sums over the judged rows.
        place: the place chosen by all folds.
    """

    target: npt.NDArray[Any]
    sides: Sequence[_Side]
    paths: list[Path]
    stages: list[Sequence[Floats]]
    losses: Floats
    place: int

    @classmethod
    def search(cls, member: type[Baseline], job: Job, sides: Sequence[_Side], target: npt.NDArray[Any]) -> _Found:
        """Fit the paths of all folds, place by place, until the loss rises."""
        paths = [side.path(member, job, target) for side in sides]
        judged = sum(len(side.fold.judge) for side in sides)
        stages, losses = list[Sequence[Floats]](), list[list[float]]()
        for raws in _steps(paths, sides):
            stages.append(raws)
            losses.append([side.loss(job, target, raw) for raw, side in zip(raws, sides, strict=True)])
            if _has_risen(np.asarray(losses)) if judged else len(losses) > member.usual:
                break
        found = np.asarray(losses, np.float64)
        return cls(target, sides, paths, stages, found, _best_place(found.sum(1)) if judged else len(losses) - 1)

    @property
    def raws(self) -> list[Floats]:
        """Return the raw scores of the judged rows of each fold, at the place that the other folds choose."""
        places = [self.place] if len(self.paths) == 1 else [_best_place(own) for own in _of_others(self.losses).T]
        return [self.stages[place][fold] for fold, place in enumerate(places)]

    def scores(self, job: Job) -> Floats:
        """Return the scores of the judged rows of each fold; the errors of the others, if any, correct their bias."""
        found, many = [], len(self.sides) > 1
        for place, (raw, side) in enumerate(zip(self.raws, self.sides, strict=True)):
            task = with_errors(job.task, self.errors(job, without=place if many else None))
            found.append(answers(raw, side.seen(job, self.target), job.classes, task))
        return np.concatenate(found)

    def errors(self, job: Job, without: int | None = None) -> list[float]:
        """Return the distribution of errors of the judged rows (see `error_points`), without those of one fold."""
        kept = [place for place in range(len(self.sides)) if place != without]
        raw = np.concatenate([self.raws[place] for place in kept]) if not job.classes else np.zeros((0, 1))
        rows = np.concatenate([self.sides[place].fold.judge for place in kept])
        return error_points(job.task, raw, self.target[rows])


def _threads(job: Job, cells: Summaries) -> int:
    """Return the number of threads for linear algebra, which terms hardly need: their matrices are sparse."""
    return useful_threads(job.threads, cells.rows * sum(column.width for column in cells.columns.values()))


def _steps(paths: Sequence[Path], sides: Sequence[_Side]) -> Iterator[tuple[Floats, ...]]:
    return zip(*(path.steps(side.asked) for path, side in zip(paths, sides, strict=True)), strict=True)


def _of_others(losses: Floats) -> Floats:
    """Return float64[places, folds]: the loss of all other folds."""
    return np.stack([np.delete(losses, fold, 1).sum(1) for fold in range(losses.shape[1])], 1)


def _has_risen(losses: Floats) -> bool:
    """Return whether the path has ended for all folds together, and for each without its own loss."""
    each = [losses.sum(1), *(_of_others(losses).T if losses.shape[1] > 1 else ())]
    return all(_end(own) is not None for own in each)


def _best_place(losses: Floats) -> int:
    """Return the place of the lowest loss, up to the end of the path."""
    return int(losses[: _end(losses)].argmin())


def _end(losses: Floats) -> int | None:
    """Return the number of places up to the first whose loss is the second in a row to be higher; None without one."""
    counts = range(WORSE + 1, len(losses) + 1)
    return next((count for count in counts if _rises(losses[count - WORSE - 1 : count])), None)


def _rises(losses: Floats) -> bool:
    return all(after > before for before, after in pairwise(losses))
