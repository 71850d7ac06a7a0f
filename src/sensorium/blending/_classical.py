"""Classical models of a blend: of all columns, and of each modality alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from sensorium.baselines import Baseline, Job, SharedBlocks, cross_fit, fit_seconds, fit_selected, unsuited
from sensorium.blending._candidates import Candidate, candidate_of
from sensorium.blending._time import FitTime, plan_fits, while_time
from sensorium.errors import SensoriumError
from sensorium.errors.memory import is_lack_of_memory
from sensorium.model import EstimatorMember
from sensorium.planning import Plan, PreparedTable, cut_folds
from sensorium.prepare.summaries import Summaries, summarize
from sensorium.runtime.progress import Reporter
from sensorium.split import Folds
from sensorium.table import Floats, Rows

Towers: TypeAlias = Mapping[str, Sequence[str]]

KINDS = ("linear", "trees")
MOST_SINGLES = 6  # modalities of which each gets classical models of its own


@dataclass(frozen=True, eq=False)
class ClassicalModel:
    """Classical model that may be fitted.

    Attributes:
        kind: registered name of the baseline.
        towers: the modalities that it reads, with their columns.
        cells: these columns.
        is_single: whether it reads one modality of several.
    """

    kind: str
    towers: Towers
    cells: Summaries
    is_single: bool

    @property
    def name(self) -> str:
        """Name for reports, such as `linear (review)`."""
        return f"{self.kind} ({next(iter(self.towers))})" if self.is_single else self.kind

    def seconds(self, plan: Plan, folds: int) -> float:
        """Estimate the seconds of its fits: to the folds, and to all rows; or to the training rows, with one fold."""
        train, outputs = len(plan.rows("train")), plan.task.outputs
        if folds == 1:
            return fit_seconds(self.kind, self.cells, train, outputs)
        rows = train + len(plan.rows("validation"))
        part = rows * (folds - 1) // folds
        return sum(
            times * fit_seconds(self.kind, self.cells, own, outputs) for times, own in ((folds, part), (1, rows))
        )


def classical_models(data: PreparedTable, report: Reporter) -> list[ClassicalModel]:
    """Return the classical models that support the task.

    Args:
        data: the table, with cells that are not features of frozen encoders.
        report: logs the kinds that do not support the task, and many modalities, which are not tried alone.
    """
    plan = data.plan
    cells = summarize(data.cells.only(plan.learnt))
    towers: Towers = {tower.name: list(tower.columns) for tower in plan.blueprint.towers}
    singles = [{name: columns} for name, columns in towers.items()] if 1 < len(towers) <= MOST_SINGLES else []
    if len(towers) > MOST_SINGLES:
        reason = f"there are {len(towers)}, more than {MOST_SINGLES}; compare trains a network for each"
        report.log(f"? classical models of single modalities are left out of the blend: {reason}")
    found = list[ClassicalModel]()
    for kind in KINDS:
        if reason := unsuited(kind, plan.labels.task_name):
            report.log(f"? {kind} is left out of the blend: {reason}")
            continue
        for read in (towers, *singles):
            own = cells.only([name for columns in read.values() for name in columns])
            found.append(ClassicalModel(kind, read, own, is_single=len(read) < len(towers)))
    return found


@dataclass(frozen=True, eq=False)
class Classical:
    """Fitted classical models.

    Attributes:
        candidates: the models, in the order in which they are reported.
        folds: the folds that they are fitted to.
        count: the number of folds that was chosen; fewer are cut from few groups or times.
    """

    candidates: list[Candidate]
    folds: Folds
    count: int

    def to_json(self) -> dict[str, Any]:
        """Return which models were fitted, so that a resumed run fits the same ones."""
        return {"models": [candidate.name for candidate in self.candidates], "folds": self.count}


def classical_candidates(
    data: PreparedTable,
    time: FitTime,
    report: Reporter,
    *,
    folds: Sequence[int],
    least: int,
    known: Mapping[str, Any] | None = None,
) -> Classical:
    """Fit the classical models that are quick enough; log what is left out.

    Args:
        data: the table, with cells that are not features of frozen encoders.
        time: the time that they may take.
        report: logs progress.
        folds: the numbers of folds to choose from, the usual one first.
        least: number of models that are fitted in any case.
        known: `to_json` of an interrupted run, whose models are fitted again.
    """
    models = classical_models(data, report)
    if known is None:
        order, count = _choose(data.plan, models, time=time, report=report, folds=folds, least=least)
    else:
        order = iter([place for place, model in enumerate(models) if model.name in known["models"]])
        count = int(known["folds"])
    chosen, shared = cut_folds(data.plan, count), SharedBlocks()
    found = {place: _candidate(data, models[place], chosen, shared, report) for place in order}
    return Classical([own for _, own in sorted(found.items()) if own], chosen, count)


def _choose(
    plan: Plan,
    models: Sequence[ClassicalModel],
    *,
    time: FitTime,
    report: Reporter,
    folds: Sequence[int],
    least: int,
) -> tuple[Iterator[int], int]:
    """Return the positions of the models to fit, as long as there is time, and the number of folds."""
    times = [{each: model.seconds(plan, each) for each in folds} for model in models]
    fits = plan_fits(models, lambda place, each: times[place][each], time.seconds, folds=folds, least=least)
    for name, reason in fits.left_out.items():
        report.log(f"? {name} is left out of the blend: {reason}; {time.cure}")
    if fits.reason:
        report.log(f"? the classical models are fitted to {fits.folds} folds: {fits.reason}; {time.cure}")
    seconds = {place: times[place][fits.folds] for place in fits.kept}
    if time.clock is None:
        return iter(fits.kept), fits.folds
    quickest = sorted(seconds, key=lambda place: (models[place].is_single, seconds[place]))

    def leave_out(place: int) -> None:
        report.log(f"? {models[place].name} is left out of the blend: no time is left for it; {time.cure}")

    return while_time({place: seconds[place] for place in quickest}, time.clock, leave_out), fits.folds


def _candidate(
    data: PreparedTable, model: ClassicalModel, folds: Folds, shared: SharedBlocks, report: Reporter
) -> Candidate | None:
    """Fit a model to folds, and return it with scores of rows that it did not learn from; None if its library fails.

    With several folds, the model learns from all of their rows, which it also predicts out of fold. With a single one,
    it learns from the training rows, one half of the validation rows chooses its strength, and it predicts both.

    Args:
        data: the table of the model.
        model: the model.
        folds: the folds.
        shared: what models of the same fold learned of the columns.
        report: logs progress.
    """
    plan, train = data.plan, data.rows("train")
    learned = np.union1d(train, data.rows("validation")) if len(folds) > 1 else train
    job = Job(model.cells, plan.target, learned, plan.task, plan.config.seed, plan.threads.most, shared)
    try:
        with report.phase(f"fitting {model.name}"):
            judged, scores, estimator = _fit(model.kind, job, folds)
    except SensoriumError:
        raise
    except Exception as error:  # of whatever kind a library raises: the blend does without this model
        if is_lack_of_memory(error):  # the model would depend on the free memory
            raise
        report.log(f"? {model.name} is left out of the blend: {type(error).__name__}: {error}")
        return None
    member = EstimatorMember(model.kind, estimator, model.towers)
    return candidate_of(model.name, list(model.towers), judged, scores, member, len(plan.used))


def _fit(kind: str, job: Job, folds: Folds) -> tuple[Rows, Floats, Baseline]:
    """Fit a classical model, and return rows, their scores by a model that did not learn from them, and the model."""
    if len(folds) > 1:
        found = cross_fit(kind, job, folds.folds)
        assert found.estimator is not None
        return found.rows, found.scores, found.estimator
    (fold,) = folds
    found = fit_selected(kind, job, np.setdiff1d(fold.learn, job.rows))
    assert found.estimator is not None
    others = found.estimator.scores(job.task, job.cells, fold.judge)
    return np.concatenate([found.rows, fold.judge]), np.concatenate([found.scores, others]), found.estimator
