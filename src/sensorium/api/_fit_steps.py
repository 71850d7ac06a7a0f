"""Steps of a fit: read, plan, continue or start the run, prepare, train, evaluate, save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sensorium.api._call import open_teacher
from sensorium.artifact import load_fitted
from sensorium.artifact.run_folder import Run
from sensorium.artifact.run_record import State
from sensorium.config import Config, split_saved
from sensorium.errors import ArtifactError
from sensorium.evaluate import Evaluation, evaluate_outcome
from sensorium.evaluate.scored_rows import ScoredRows
from sensorium.findings import Problems
from sensorium.metrics import default_metrics
from sensorium.model import FittedModel, OwnModules
from sensorium.model.card import CrossValidationRecord, EvaluationRecord
from sensorium.planning import Plan, PlannedFolds, PreparedTable, log_notices, make_plan, plan_folds, prepare_table
from sensorium.predictor import Model, tell_unset
from sensorium.presets import FitSetup
from sensorium.runtime.progress import Reporter, Silent
from sensorium.runtime.threads import torch_threads
from sensorium.split import FoldOptions
from sensorium.strategies import (
    FoldTraining,
    Session,
    Strategy,
    close_strategies,
    forget_folds,
    run_strategies,
    strategy_files,
)
from sensorium.table import Table, open_table
from sensorium.train import Checkpoint
from sensorium.trials import Control, TrialResult, files_after, files_before, plan_identity


@dataclass(frozen=True, eq=False)
class FitCall:
    """Checked arguments of a fit.

    Attributes:
        config: the settings that were given.
        setup: preset and strategies, chosen before the table is read.
        start: the model to continue; None for a new one.
        modules: the user's own modules.
        folds: folds of a cross-validation; None without one.
        control: report and callbacks.
        folder: folder of the run; None if nothing is saved.
        resume, overwrite: what happens to an earlier run in the folder.
    """

    config: Config
    setup: FitSetup
    start: FittedModel | None
    modules: OwnModules
    folds: FoldOptions | None
    control: Control
    folder: Path | None
    resume: bool
    overwrite: bool

    @property
    def report(self) -> Reporter:
        """Return the reporter that logs the progress."""
        return self.control.report

    def identity(self, plan: Plan) -> dict[str, Any]:
        """Return what the run is made of, by which it is recognized."""
        budget = self.setup.request.budget
        options = asdict(self.folds) if self.folds else {}
        return plan_identity(plan, command="fit", budget=budget and budget.seconds, **options)


@dataclass(frozen=True, eq=False)
class PlannedFit:
    """Plan of a fit.

    Attributes:
        plan: the plan of the model.
        setup: preset and strategies that support the table, with complete settings.
        folds: plans of the folds; None without a cross-validation.
    """

    plan: Plan
    setup: FitSetup
    folds: PlannedFolds | None


def run_fit(call: FitCall, table: Any) -> Model:
    """Run the steps of a fit, and return the model; that of a finished run is loaded, not trained again."""
    run = Run(call.folder) if call.folder else None
    planned, control = _plan(call, _read(call, table), run), call.control
    if run:
        state = run.settle(call.identity(planned.plan), overwrite=call.overwrite, resume=call.resume)
        if state is State.FINISHED:
            _close(planned.setup.strategies, run.folder)
            return _finished(run, planned.plan, call.report)
        planned, control = _continued(call, planned, run, state)
    with torch_threads(planned.plan.threads.most):
        log_notices(planned.plan, call.report)
        before = _cross_validate(call, planned)
        return _train(planned, control, run, before)


def _read(call: FitCall, table: Any) -> Table:
    """Open a table as the settings specify, or as the model to continue reads its tables."""
    with call.report.phase("reading the table"):
        if call.start is None:
            return open_table(table, call.config.table)
        opened = open_table(table, call.config.table, text=call.start.data.text_columns, gaps=True)
        _, given = split_saved(call.config.model_dump(mode="json"))
        return tell_unset(opened, [name for name in call.start.unset if name not in given])


def _plan(call: FitCall, table: Table, run: Run | None) -> PlannedFit:
    """Plan the model, and the folds of a cross-validation; check that the strategies support them."""
    with call.report.phase("planning the training"):
        cores = run.find_cores(overwrite=call.overwrite, resume=call.resume) if run else None
        teacher = open_teacher(call.config)
        make = partial(
            make_plan, table, report=call.report, modules=call.modules, start=call.start, teacher=teacher, cores=cores
        )
        setup, plan = call.setup.plan(make, call.report)
    if call.folds is None:
        return PlannedFit(plan, setup, None)
    folds = plan_folds(table, setup.request.config, Silent(), call.folds, modules=call.modules, cores=plan.cores)
    FoldTraining(folds, setup.request, call.report).check()
    return PlannedFit(plan.with_findings(folds.findings), setup, folds)


def _continued(call: FitCall, planned: PlannedFit, run: Run, state: State) -> tuple[PlannedFit, Control]:
    """Return the plan with the threads of the run, and what saves its checkpoints and resumes from them."""
    plan = planned.plan
    resumes = call.resume or (state is State.UNFINISHED and run.checkpoint.exists())
    plan = replace(plan, threads=run.settle_threads(plan.threads, state, cores=plan.cores))
    control = replace(call.control, keep=run.keep, checkpoint=Checkpoint(run.checkpoint, resumes))
    return replace(planned, plan=plan), control


def _cross_validate(call: FitCall, planned: PlannedFit) -> CrossValidationRecord | None:
    """Train and test on each fold, with the threads of the run; None without folds."""
    if planned.folds is None:
        return None
    folds = planned.folds.with_threads(planned.plan.threads)
    return FoldTraining(folds, planned.setup.request, call.report, call.folder).run()


def _train(planned: PlannedFit, control: Control, run: Run | None, folds: CrossValidationRecord | None) -> Model:
    """Decode the table, run the strategies, and save the run with the metrics of the folds."""
    data, setup = prepare_table(planned.plan, control.report), planned.setup
    if run:
        run.save_before(files_before(data))
    session = Session.of(data, setup.request, control, run.folder if run else None)
    result = run_strategies(setup.strategies, session)
    with control.report.phase("computing metrics and intervals"):
        evaluations = _evaluate(data, result)
    result.model.card = result.model.card.updated(cross_validation=folds)
    if run:
        run.save_result(result.model, files_after(data, result, evaluations) | strategy_files(setup.strategies))
        _close(setup.strategies, run.folder)
    return Model(result.model, evaluations.get("test"), data.all_problems())


def _evaluate(data: PreparedTable, result: TrialResult) -> dict[str, Evaluation]:
    """Compute the metrics of each split with their intervals, and add them to the model card."""
    names = default_metrics(data.plan.labels.task_name, data.plan.metric)
    evaluations = {
        split: replace(
            evaluate_outcome(outcome, names), rows=f"{split} rows", scored=ScoredRows(result.model.task, outcome)
        )
        for split, outcome in result.outcomes.items()
    }
    metrics = {split: EvaluationRecord.model_validate(own.to_json()) for split, own in evaluations.items()}
    result.model.card = result.model.card.updated(metrics=metrics)
    return evaluations


def _close(strategies: Sequence[Strategy], folder: Path) -> None:
    """Remove files that only a resumed run needs."""
    close_strategies(strategies, folder)
    forget_folds(folder)


def _finished(run: Run, plan: Plan, report: Reporter) -> Model:
    """Return the model of a run that is already finished, if its files are those that it wrote."""
    run.check_files()
    report.log(f"{run.folder}: already finished with the same table and settings; use --overwrite to train again")
    try:
        fitted = load_fitted(run.model, str(plan.device))
    except ArtifactError as error:
        cure = "--overwrite trains it again (Python: overwrite=True)"
        raise ArtifactError(error.finding, place=error.place, rule=error.rule, cure=cure) from None
    # Settings that are not saved with models are those of this fit.
    fitted = replace(fitted, config=plan.config, unset=())
    record = fitted.card.metrics.get("test")
    try:
        problems = Problems.from_jsonl((run.folder / "problems.jsonl").read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        problems = fitted.card.problems_of_fit()
    test = None
    if record:
        intervals = {name: (low, high) for name, (low, high) in record.intervals.items()}
        test = Evaluation(
            record.n, dict(record.metrics), intervals, rows="test rows", groups=record.groups, few=record.few or {}
        )
    return Model(fitted, test, problems)
