"""The Python doors to learning: `fit` and `compare`; the command line goes through them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

import numpy as np
import pyarrow as pa
from torch import nn

from sensorium.artifact import load_fitted, to_json
from sensorium.artifact.run_folder import (
    PREDICTIONS,
    SETTINGS,
    Run,
    parquet_bytes,
    yaml_bytes,
)
from sensorium.artifact.run_folder import check_folder as check_run_folder
from sensorium.artifact.run_record import State
from sensorium.comparison import Comparison, ComparisonOptions, check_comparison, check_names, compare_towers
from sensorium.comparison import check_folder as check_comparison_folder
from sensorium.comparison import settle_folder as settle_comparison
from sensorium.config import Config, read_yaml, split_saved
from sensorium.errors import ConfigError
from sensorium.errors.memory import explain_memory_errors
from sensorium.evaluate import Evaluation, evaluate_outcome
from sensorium.files import alone_in
from sensorium.findings import Problems
from sensorium.metrics import metrics_of
from sensorium.model import FittedModel
from sensorium.model.card import EvaluationRecord
from sensorium.planning import Plan, PreparedTable, continued_settings, log_notices, make_plan, prepare_table
from sensorium.predictor import Model, load, tell_unset
from sensorium.runtime.events import Callback, check_callbacks
from sensorium.runtime.progress import Reporter, reporter
from sensorium.split import SPLITS
from sensorium.strategies import (
    Budget,
    Request,
    Session,
    Strategy,
    check_strategies,
    choose_strategies,
    close_strategies,
    parse_budget,
    run_strategies,
)
from sensorium.table import Table, open_table
from sensorium.train import Checkpoint, open_trackers
from sensorium.trials import Control, TrialResult, answers_of, plan_identity


class Settings(TypedDict, total=False):
    """Keywords of `fit` and `compare`: the keys of `Config`, and those of its groups where the name says which one.

    `sensorium list settings` shows them all; those of a group are set as `config={"table": {"encoding": "cp1252"}}`.
    """

    columns: Sequence[str]
    exclude: Sequence[str]
    task: str
    tasks: Mapping[str, str]
    modalities: Mapping[str, Any]
    encoders: Mapping[str, Any]
    augment: Mapping[str, Any]
    towers: Mapping[str, Sequence[str]]
    fusion: str | Mapping[str, Any]
    head: str | Mapping[str, Any]
    width: int
    split: Mapping[str, Any]
    train: Mapping[str, Any]
    seed: int
    device: str
    epochs: int
    batch_size: int
    learning_rate: float
    patience: int | None
    split_column: str


LESS = (
    "smaller batches (--set train.batch_size=16), a smaller model (--set width=32), fewer columns or smaller files "
    "(--set modalities.image.size=64), or a machine with more memory (see `ulimit -v`)"
)


@explain_memory_errors(LESS)
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
    callbacks: Sequence[Callback] = (),
    track: str | Sequence[str] = (),
    progress: bool = True,
    **settings: Unpack[Settings],
) -> Model:
    """Learn to predict one column of a table from the others.

    Args:
        table: a path (CSV, TSV, JSON Lines, Parquet, Arrow, Feather, SQLite, a folder of class folders or of Parquet
            parts), a pandas, polars or pyarrow table, a dict of columns or a list of dicts. File columns hold paths
            relative to the table's folder, or pictures as objects and arrays.
        target: the column to predict; several are learnt together.
        start: a model (fitted, or its path) to continue on this table. What it is made of and what it learnt of its
            columns and labels is kept, new labels are added; settings lie over its own, its learning rate over four.
        out: folder for the model and the record of the run; nothing is saved without it (decoded files are kept for the
            next run all the same, see `prepare` in the settings).
        config: a YAML file or a mapping of settings, under the keywords.
        resume: continue from the checkpoint in `out`, whatever else the folder says; the model will be the same as if
            training had not been stopped. A run in `out` with the same table and settings is continued without it, or
            returned at once if it is finished.
        overwrite: replace a run of another table or other settings in `out`, once the new model is complete.
        budget: choose encoders, fusion and training within this time: "90s", "10m", "1h30m", or seconds. What the
            settings name is kept; `epochs` are the most that one training takes. A search that was killed goes on if it
            is called again with the same `out`.
        callbacks: receive the events of training: see `sensorium.Callback`.
        track: write metrics for `tensorboard`, `mlflow` or `wandb` into `out`; nothing is sent over the network.
        progress: tell on stderr how it goes.
        **settings: see `Settings` and `Config`. `encoders` may hold modules of your own: `{"image": my_module}`.

    Returns:
        The model with the weights of its best epoch.

    Raises:
        SensoriumError: with what was found, where, and the cure; a BusyError where another run has this `out`.
        Interrupted: Ctrl-C (it is a KeyboardInterrupt) or SIGTERM in training; `out` holds a checkpoint.

    Example:
        >>> model = sensorium.fit("films.csv", target="genre", epochs=2, progress=False)
        >>> model.predict("new_films.csv").shape
        (5,)
        >>> model = sensorium.fit(
        ...     "films.csv", "genre", fusion="gated", encoders={"plot": "bilstm"}, epochs=1, progress=False
        ... )
    """
    check_callbacks(callbacks)
    listeners = [*callbacks, *open_trackers(track, out)]
    time = None if budget is None else Budget(parse_budget(budget))
    if resume and not out:
        raise ConfigError("no run to resume is named", place="resume", rule="a run's folder", cure="out=FOLDER")
    if out:
        check_run_folder(Path(out), table=table, model=start, config=config)
    source = None if start is None else _fitted_of(start, settings)
    below = continued_settings(source.config) if source else {}
    chosen, modules = gather_config(target, config, settings, below)
    request = Request(chosen, time, continues=source is not None, resume=resume)
    strategies = choose_strategies(request)
    report = reporter(progress)
    with alone_in(Path(out)) if out else nullcontext():
        opened, run = _open(table, chosen, source), Run(Path(out)) if out else None
        plan = make_plan(opened, chosen, report, modules=modules, start=source, teacher=_teacher(chosen))
        check_strategies(strategies, plan)
        control = Control(report, callbacks=listeners)
        if run:
            made_of = plan_identity(plan, command="fit", budget=budget)
            state = run.settle(made_of, overwrite=overwrite, resume=resume)
            if state is State.FINISHED:
                return _finished(run, plan, report)
            resumes = resume or (state is State.UNFINISHED and run.checkpoint.exists())
            control = replace(control, keep=run.keep, checkpoint=Checkpoint(run.checkpoint, resumes))
        return _train(plan, strategies, request, control, run)


def _train(plan: Plan, strategies: Sequence[Strategy], request: Request, control: Control, run: Run | None) -> Model:
    """Decode the table, train as the strategies say, and save the run."""
    log_notices(plan, control.report)
    data = prepare_table(plan, control.report)
    if run:
        run.save_before(_known_before(data))
    session = Session.of(data, request, control, run.folder if run else None)
    result = run_strategies(strategies, session)
    evaluations = _measure(data, result)
    if run:
        run.save_result(result.model, _known_after(data, result, evaluations))
    close_strategies(strategies, session)
    return Model(result.model, evaluations.get("test"), data.all_problems())


def _finished(run: Run, plan: Plan, report: Reporter) -> Model:
    """Return the model of a run that was finished before."""
    report.log(f"{run.folder}: finished before with the same table and settings; --overwrite trains again")
    fitted = load_fitted(run.model, str(plan.device))
    # Settings that no saved model brings along are those of this fit.
    fitted = replace(fitted, config=plan.config, unset=())
    record = fitted.card.metrics.get("test")
    try:
        problems = Problems.from_jsonl((run.folder / "problems.jsonl").read_bytes())
    except (OSError, ValueError, TypeError):
        problems = Problems()
    test = None
    if record:
        intervals = {name: (low, high) for name, (low, high) in record.intervals.items()}
        test = Evaluation(record.n, dict(record.metrics), intervals, rows="test rows")
    return Model(fitted, test, problems)


def _open(table: Any, config: Config, source: FittedModel | None) -> Table:
    """Open a table as the settings say; one that a model is continued on, as the model reads tables."""
    if source is None:
        return open_table(table, config.table)
    opened = open_table(table, config.table, text=source.data.text_columns, gaps=True)
    _, given = split_saved(config.model_dump(mode="json"))
    return tell_unset(opened, [name for name in source.unset if name not in given])


def _teacher(config: Config) -> FittedModel | None:
    path = config.train.teacher
    return load_fitted(Path(path), config.device) if path else None


def _measure(data: PreparedTable, result: TrialResult) -> dict[str, Evaluation]:
    """Return split → every metric with its interval, which the model's card gets too."""
    names = metrics_of(data.plan.labels.task_name)
    evaluations = {
        split: replace(evaluate_outcome(outcome, names), rows=f"{split} rows")
        for split, outcome in result.outcomes.items()
    }
    metrics = {split: EvaluationRecord.model_validate(found.to_json()) for split, found in evaluations.items()}
    result.model.card = result.model.card.updated(metrics=metrics)
    return evaluations


def _known_before(data: PreparedTable) -> dict[str, bytes]:
    """Return the files of a run that are known before training."""
    names = np.array([*SPLITS, None], dtype=object)[data.plan.split.codes]  # code -1 is the last: none
    table = pa.table({"row": np.arange(len(names)), "split": pa.array(names, pa.string())})
    return {
        SETTINGS: yaml_bytes(data.plan.config),
        "problems.jsonl": data.problems.to_jsonl(),
        "split.parquet": parquet_bytes(table),
    }


def _known_after(data: PreparedTable, result: TrialResult, evaluations: Mapping[str, Evaluation]) -> dict[str, bytes]:
    """Return the files of a run that are known after training."""
    return {
        "problems.jsonl": data.all_problems().to_jsonl(),
        "history.json": to_json(result.course.to_json()),
        "metrics.json": to_json({name: found.to_json() for name, found in evaluations.items()}),
        PREDICTIONS: parquet_bytes(answers_of(data, result)),
    }


@explain_memory_errors(LESS)
def compare(
    table: Any,
    target: str | Sequence[str] | None = None,
    *,
    fusions: Sequence[str] | None = None,
    baselines: Sequence[str] | None = None,
    seeds: int | Sequence[int] = 1,
    workers: int = 1,
    overwrite: bool = False,
    out: str | Path | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    progress: bool = True,
    **settings: Unpack[Settings],
) -> Comparison:
    """Does fusing help? Train every single modality, the fusions and classical baselines on one split, and tell.

    Args:
        table, target, config, progress, **settings: as for `fit`.
        fusions: registered names, or `["all"]`; by default attention, concat, gated, late, low_rank and weighted_sum.
        baselines: registered names, or `["none"]`; by default gradient-boosted trees and a linear model of all columns,
            where they suit the task, would not take long, and scikit-learn is installed (extra `sklearn`).
        seeds: train each network from so many seeds, from the settings' own on, or from these; the split stays.
        workers: networks that are trained at a time, each in a process of its own; the results are the same.
        overwrite: replace a comparison of another table or other settings in `out`.
        out: folder for each network (of the first seed) and the table of results. Networks that were finished there
            before, from the same rows and settings, are taken and not trained again.

    Raises:
        SensoriumError: as `fit`; ConfigError where there is nothing to compare (one modality, no test rows).

    Example:
        >>> found = sensorium.compare(
        ...     "films.csv", "genre", fusions=["concat"], baselines=["none"], epochs=1, progress=False
        ... )
        >>> [result.name for result in found.results]
        ['plot', 'tabular', 'concat']
        >>> found.helps in (True, False)
        True
    """
    check_names(fusions, baselines)
    chosen, modules = gather_config(target, config, settings)
    _check_compared(chosen)
    numbers = [chosen.seed + more for more in range(seeds)] if isinstance(seeds, int) else list(dict.fromkeys(seeds))
    if not numbers:
        raise ConfigError("no seed to train from", place="seeds", rule="1 or more")
    if out:
        check_comparison_folder(Path(out), table=table, config=config)
    options, report = ComparisonOptions(fusions, baselines, numbers, workers), reporter(progress)
    with alone_in(Path(out)) if out else nullcontext():
        opened = open_table(table, chosen.table)
        plan = make_plan(opened, chosen, report, modules=modules, teacher=_teacher(chosen))
        check_comparison(plan, options)
        if out:
            settle_comparison(Path(out), plan_identity(plan, command="compare"), overwrite=overwrite)
        log_notices(plan, report)
        return compare_towers(prepare_table(plan, report), options, Path(out) if out else None, report)


def _check_compared(job: Config) -> None:
    """What a comparison can't honour."""
    if job.train.imbalance != "off":
        cure = "sensorium fit --check-imbalance, or a technique by name: --set train.techniques.pmr={}"
        raise ConfigError("compare trains every model as it is set", place="train.imbalance", rule="off", cure=cure)
    if job.train.unfreeze:
        raise ConfigError("compare trains each model once", place="train.unfreeze", cure="leave it away, or use fit")


def _fitted_of(start: str | Path | Model, settings: Mapping[str, Any]) -> FittedModel:
    """A model to continue; modules of the user's own are taken from the settings where it comes from a file."""
    if isinstance(start, Model):
        return start.bundle
    modules = {n: m for n, m in dict(settings.get("encoders") or {}).items() if isinstance(m, nn.Module)}
    return load(start, device=settings.get("device") or "auto", encoders=modules).bundle


def gather_config(
    target: str | Sequence[str] | None,
    config: str | Path | Mapping[str, Any] | None,
    settings: Mapping[str, Any],
    lowest: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[Config, dict[str, nn.Module]]:
    """Layers of settings → one checked tree, and the modules of the user's own taken out of it."""
    below = read_yaml(Path(config)) if isinstance(config, str | Path) else dict(config or {})
    flat = {name: value for name, value in settings.items() if value is not None}
    encoders = dict(flat.get("encoders", {}))
    modules = {name: value for name, value in encoders.items() if isinstance(value, nn.Module)}
    if encoders:
        flat["encoders"] = encoders | {name: {"name": "module"} for name in modules}
    layers: list[Mapping[str, Any]] = [{key: value for key, value in flat.items() if key in Config.model_fields}]
    layers += [{key: value} for key, value in flat.items() if key not in Config.model_fields and key != "split_column"]
    if "split_column" in flat:
        layers.append({"split": {"column": flat["split_column"]}})
    named = {"target": target if isinstance(target, str) else list(target)} if target is not None else {}
    return Config.gather(lowest, below, *layers, named), modules
