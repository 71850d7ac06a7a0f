"""Train a model: `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from sensorium.api._call import LESS, Settings, check_forms, fold_options, gather_config, open_teacher, without_modules
from sensorium.artifact import load_fitted
from sensorium.artifact.run_folder import (
    Run,
)
from sensorium.artifact.run_folder import check_folder as check_run_folder
from sensorium.artifact.run_record import State
from sensorium.config import (
    FLAG,
    NAMES,
    OPTIONAL_PATH,
    TIME,
    Config,
    as_plain,
    check_arguments,
    split_saved,
)
from sensorium.errors import ArtifactError, ConfigError
from sensorium.errors.memory import explain_memory_errors
from sensorium.evaluate import Evaluation, evaluate_outcome
from sensorium.files import alone_in
from sensorium.findings import Problems
from sensorium.metrics import metrics_of
from sensorium.model import FittedModel, check_modules
from sensorium.model.card import CrossValidationRecord, EvaluationRecord
from sensorium.planning import (
    Plan,
    PreparedTable,
    continued_settings,
    log_notices,
    make_plan,
    plan_folds,
    prepare_table,
)
from sensorium.predictor import Model, load, tell_unset
from sensorium.presets import FitSetup
from sensorium.registry.failures import explain_member_errors
from sensorium.runtime.events import Callback, check_callbacks
from sensorium.runtime.progress import Reporter, Silent, reporter
from sensorium.runtime.threads import torch_threads
from sensorium.strategies import (
    Budget,
    FoldTraining,
    Request,
    Session,
    Strategy,
    close_strategies,
    forget_folds,
    parse_budget,
    run_strategies,
    strategy_files,
)
from sensorium.table import Table, open_table
from sensorium.train import Checkpoint, open_trackers
from sensorium.trials import Control, TrialResult, files_after, files_before, plan_identity


@explain_memory_errors(LESS)
@explain_member_errors()
def fit(
    table: Any,
    target: str | Sequence[str] | None = None,
    *,
    start: str | Path | Model | None = None,
    out: str | Path | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    budget: str | float | None = None,
    folds: int | None = None,
    repeats: int = 1,
    callbacks: Sequence[Callback] = (),
    track: str | Sequence[str] = (),
    progress: bool = True,
    **settings: Unpack[Settings],
) -> Model:
    """Train a model that predicts one column of a table from the others.

    Args:
        table: the training data. A path (CSV, TSV, JSON Lines, Parquet, Arrow, Feather, SQLite, a folder of class
            folders or of Parquet parts), a pandas, polars or pyarrow table, a dict of columns or a list of dicts.
            Columns of files hold paths relative to the table's folder, or images as objects and arrays.
        target: the column to predict, or a list of columns that one model predicts together.
        start: a fitted model of one network, or its path, to continue training on this table (transfer learning). The
            new model keeps its network and its column statistics, and adds new labels. Settings override those of the
            model; the default learning rate is a quarter of the model's.
        out: folder for the model and the record of the run. Without it, nothing is saved except the cache of decoded
            files (see the `prepare` settings).
        config: a YAML file or a mapping of settings. Keyword arguments override it.
        resume: continue from the checkpoint in `out`; a checkpoint of another table or other settings is an error.
            `fit` also continues an interrupted run of the same table and settings without `resume`, and returns the
            model of a finished run. A resumed run ends with the same weights as an uninterrupted one.
        overwrite: replace a run of another table or other settings in `out`, once the new model is complete.
        budget: search encoders, fusion and training settings within this time: "90s", "10m", "1h30m", or a number of
            seconds. The search does not change settings that are given; `epochs` limits each training. Call `fit` again
            with the same `out` to resume an interrupted search. With `preset` `good` or `best`, the networks that it
            chooses are blended with classical models within the same time.
        folds: number of folds of a cross-validation, at least 2. Before the model is trained, one model is trained per
            fold in the same way and tested on the rows of the fold. `model.card["cross_validation"]` and `metrics.json`
            hold the mean of each metric with an interval; see `compare` for the rules. The model itself does not
            depend on it.
        repeats: how often the rows are cut into folds, each time with another seed. Not with `split.time`.
        callbacks: objects whose methods are called during training of the model (not of folds); see
            `sensorium.Callback`. A finished run in `out` is returned without training, so they receive nothing.
        track: write metrics for `tensorboard`, `mlflow` or `wandb` into `out`. Nothing is sent over the network.
        progress: print the progress to stderr.
        **settings: see `Settings` and `Config`. `preset` names how much is trained: by default `good`, a blend of a
            network, linear models and boosted trees; `fast` is the network alone, and so is a setting that describes
            one network (`fusion`, `encoders`, `epochs` …). `encoders` and `fusion` accept your own modules, or classes
            or functions that make them: `encoders={"image": my_module}, fusion=MyFusion`.

    Returns:
        The model; each network has the weights of its best epoch.

    Raises:
        SensoriumError: the table, a setting or a file cannot be used; the message says where and how to fix it.
        ConfigError: a setting is wrong, or a member or a module of your own fails; an exception that it raised is the
            `__cause__`.
        BusyError: another run is using `out`.
        Interrupted: training received Ctrl-C or SIGTERM; `out` holds a checkpoint. A subclass of KeyboardInterrupt.

    Example:
        >>> model = sensorium.fit("films.csv", target="genre", epochs=2, progress=False)
        >>> model.predict("new_films.csv").shape
        (5,)
        >>> model = sensorium.fit(
        ...     "films.csv", "genre", fusion="gated", encoders={"plot": "bilstm"}, epochs=1, progress=False
        ... )
    """
    check_forms(target, config, settings)
    check_arguments(OPTIONAL_PATH, out=out, start=None if isinstance(start, Model) else start)
    check_arguments(FLAG, resume=resume, overwrite=overwrite, progress=progress)
    check_arguments(NAMES, track=track)
    check_arguments(TIME, budget=budget)
    check_callbacks(callbacks)
    listeners = [*callbacks, *open_trackers(as_plain(track) or (), out)]
    time = None if budget is None else Budget(parse_budget(budget))
    cut = fold_options(folds, repeats)
    if resume and overwrite:
        raise ConfigError(
            "resume and overwrite contradict each other",
            place="resume, overwrite",
            rule="resume continues the run in the folder; overwrite replaces it",
            cure="leave out one of them",
        )
    if resume and not out:
        rule = "resume=True needs out, the folder of the interrupted run"
        raise ConfigError("resume needs the folder of a run", place="resume", rule=rule, cure="add out=FOLDER")
    if out:
        check_run_folder(Path(out), table=table, model=start, config=config)
    source = None if start is None else _fitted_of(start, settings)
    below = continued_settings(source.config) if source else {}
    chosen, modules = gather_config(target, config, settings, below)
    check_modules(modules)
    asked = Request(
        chosen,
        time,
        continues=source is not None,
        resume=resume,
        own_modules=bool(modules),
        folds=cut is not None,
    )
    setup = FitSetup.of(asked)
    report = reporter(progress)
    with alone_in(Path(out)) if out else nullcontext():
        run = Run(Path(out)) if out else None
        with report.phase("reading the table"):
            opened = _open(table, chosen, source)
        with report.phase("planning the training"):
            cores = run.find_cores(overwrite=overwrite, resume=resume) if run else None
            teacher = open_teacher(chosen)
            make = partial(
                make_plan, opened, report=report, modules=modules, start=source, teacher=teacher, cores=cores
            )
            setup, plan = setup.plan(make, report)
        planned = None
        if cut:
            settled = setup.request.config
            planned = plan_folds(opened, settled, Silent(), cut, modules=modules, cores=plan.cores)
            FoldTraining(planned, setup.request, report).check()
            plan = plan.with_findings(planned.findings)
        control = Control(report, callbacks=listeners)
        if run:
            made_of = plan_identity(plan, command="fit", budget=time and time.seconds, **(asdict(cut) if cut else {}))
            state = run.settle(made_of, overwrite=overwrite, resume=resume)
            if state is State.FINISHED:
                _close(setup.strategies, run.folder)
                return _finished(run, plan, report)
            resumes = resume or (state is State.UNFINISHED and run.checkpoint.exists())
            plan = replace(plan, threads=run.settle_threads(plan.threads, state, cores=plan.cores))
            control = replace(control, keep=run.keep, checkpoint=Checkpoint(run.checkpoint, resumes))
        with torch_threads(plan.threads.most):
            log_notices(plan, report)
            before = None
            if planned:
                own = planned.with_threads(plan.threads)
                before = FoldTraining(own, setup.request, report, run.folder if run else None).run()
            return _train(plan, setup, control, run, before)


def _train(
    plan: Plan, setup: FitSetup, control: Control, run: Run | None, folds: CrossValidationRecord | None
) -> Model:
    """Decode the table, run the strategies, and save the run with the metrics of the folds."""
    data = prepare_table(plan, control.report)
    if run:
        run.save_before(files_before(data))
    session = Session.of(data, setup.request, control, run.folder if run else None)
    result = run_strategies(setup.strategies, session)
    with control.report.phase("computing metrics and intervals"):
        evaluations = _measure(data, result)
    result.model.card = result.model.card.updated(cross_validation=folds)
    if run:
        run.save_result(result.model, files_after(data, result, evaluations) | strategy_files(setup.strategies))
        _close(setup.strategies, run.folder)
    return Model(result.model, evaluations.get("test"), data.all_problems())


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
        test = Evaluation(record.n, dict(record.metrics), intervals, rows="test rows", groups=record.groups)
    return Model(fitted, test, problems)


def _open(table: Any, config: Config, source: FittedModel | None) -> Table:
    """Open a table as the settings specify, or as the model to continue reads its tables."""
    if source is None:
        return open_table(table, config.table)
    opened = open_table(table, config.table, text=source.data.text_columns, gaps=True)
    _, given = split_saved(config.model_dump(mode="json"))
    return tell_unset(opened, [name for name in source.unset if name not in given])


def _measure(data: PreparedTable, result: TrialResult) -> dict[str, Evaluation]:
    """Compute the metrics of each split with their intervals, and add them to the model card."""
    names = metrics_of(data.plan.labels.task_name)
    evaluations = {
        split: replace(evaluate_outcome(outcome, names), rows=f"{split} rows")
        for split, outcome in result.outcomes.items()
    }
    metrics = {split: EvaluationRecord.model_validate(own.to_json()) for split, own in evaluations.items()}
    result.model.card = result.model.card.updated(metrics=metrics)
    return evaluations


def _fitted_of(start: str | Path | Model, settings: Mapping[str, Any]) -> FittedModel:
    """Return the model to continue; for a saved one, take the user's own modules from the settings.

    Raises:
        ConfigError: the model is not a single network.
    """
    if not isinstance(start, Model):
        _, own = without_modules(settings)
        fusion = next(iter(own.fusions.values()), None)
        start = load(start, device=settings.get("device") or "auto", encoders=own.encoders, fusion=fusion)
    start.fitted.check_single_network("continue training")
    return start.fitted
