"""The Python doors to learning: `fit` and `compare`; the command line goes through them too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from torch import nn

from sensorium.comparison import Asked, Comparison, check_comparison, check_names, compare_towers
from sensorium.comparison import check_folder as check_comparison_folder
from sensorium.config import Config, read_yaml, split_saved
from sensorium.errors import ConfigError, MissingExtraError, raise_together
from sensorium.errors.memory import explain_memory_errors
from sensorium.evaluate import Evaluation, evaluate_outcome
from sensorium.experiment import Experiment, Trained, continued_settings, what_moved
from sensorium.experiment._run import Run
from sensorium.experiment._run import check_folder as check_run_folder
from sensorium.files import alone_in
from sensorium.metrics import metrics_of
from sensorium.model import FittedModel
from sensorium.predictor import Model, load, tell_unset
from sensorium.runtime.progress import Reporter, reporter
from sensorium.strategies.imbalance import check_balance, treat
from sensorium.strategies.search import Budget, check_rows, parse_budget, search
from sensorium.strategies.unfreeze import tune_encoders
from sensorium.table import open_table
from sensorium.train import Checkpoint


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
    budget: str | float | None = None,
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
        resume: go on from the checkpoint that a run with this `out`, table and settings left when it was stopped: the
            model will be the same as if it had not been. Where there is none, training starts afresh.
        budget: choose encoders, fusion and training within this time: "90s", "10m", "1h30m", or seconds. What the
            settings name is kept; `epochs` are the most that one training takes. A search that was killed goes on if it
            is called again with the same `out`.
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
    time = None if budget is None else Budget(parse_budget(budget))
    if out:
        check_run_folder(Path(out), table=table, model=start, config=config)
    source = None if start is None else _bundle_of(start, settings)
    below = continued_settings(source.config) if source else {}
    job, modules = gather_config(target, config, settings, below)
    if time:
        _check_searched(job, start, resume)
    report = reporter(progress)
    text, gaps = (source.card["text"], True) if source else ((), False)
    evaluations: dict[str, Evaluation] = {}
    with alone_in(Path(out)) if out else nullcontext():
        opened = open_table(table, job.table, text=text, gaps=gaps)
        if source:
            _, given = split_saved(job.model_dump(mode="json"))
            opened = tell_unset(opened, [name for name in source.unset if name not in given])
        run = Run(Path(out)) if out else None
        checkpoint = _checkpoint(run, resume, report)
        experiment = Experiment(opened, job, report, modules, source, checks=_checks(job, time))
        if run:
            run.save_experiment(experiment)

        def save(trained: Trained) -> None:
            evaluations.update(_measure(experiment, trained))
            if run:
                run.save_result(experiment, trained, evaluations)

        trained = _train(experiment, time, run, checkpoint, save)
        if run:
            run.checkpoint(resume).forget()
    return Model(trained.bundle, evaluations.get("test"), experiment.problems)


def _checks(job: Config, time: Budget | None) -> list[Callable[[Experiment], None]]:
    """What is asked of the prepared table before its cells are decoded."""
    balance = [check_balance] if job.train.balance != "off" else []
    return [*balance, *([check_rows] if time else [])]


def _train(
    experiment: Experiment,
    time: Budget | None,
    run: Run | None,
    checkpoint: Checkpoint | None,
    save: Callable[[Trained], None],
) -> Trained:
    """By a search within a time, with remedies for imbalance, or plainly; then what comes after training."""
    settings, keep = experiment.config.train, run.save_model if run else None
    if time:
        return search(experiment, time, folder=run.folder if run else None, keep=keep, save=save)
    if settings.balance != "off":
        trained = treat(experiment, keep=keep, checkpoint=checkpoint).trained
    else:
        trained = experiment.train(keep=keep, checkpoint=checkpoint)
    if settings.unfreeze:
        trained = tune_encoders(experiment, trained)
        experiment.report.log(trained.bundle.card["tuning"]["sentence"])
    if experiment.start is not None:
        trained.bundle.card["moved"] = what_moved(experiment, trained)
    save(trained)
    return trained


def _measure(experiment: Experiment, trained: Trained) -> dict[str, Evaluation]:
    """Split → every metric with its interval; on the model's card too."""
    names = metrics_of(experiment.task_name)
    evaluations = {
        split: replace(evaluate_outcome(outcome, names), rows=f"{split} rows")
        for split, outcome in trained.outcomes.items()
    }
    trained.bundle.card["metrics"] = {name: found.to_json() for name, found in evaluations.items()}
    return evaluations


@explain_memory_errors(LESS)
def compare(
    table: Any,
    target: str | Sequence[str] | None = None,
    *,
    fusions: Sequence[str] | None = None,
    baselines: Sequence[str] | None = None,
    seeds: int | Sequence[int] = 1,
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
    job, modules = gather_config(target, config, settings)
    _check_compared(job)
    chosen = [job.seed + more for more in range(seeds)] if isinstance(seeds, int) else list(dict.fromkeys(seeds))
    if not chosen:
        raise ConfigError("no seed to train from", place="seeds", rule="1 or more")
    if out:
        check_comparison_folder(Path(out), table=table, config=config)
    with alone_in(Path(out)) if out else nullcontext():
        asked = Asked(fusions, baselines, chosen)
        checks = [lambda experiment: check_comparison(experiment, asked)]
        experiment = Experiment(open_table(table, job.table), job, reporter(progress), modules, checks=checks)
        return compare_towers(experiment, asked, Path(out) if out else None)


def _check_searched(job: Config, start: Any, resume: bool) -> None:
    """What a search within a budget can't honour, all told together; and what it needs."""
    faults = {
        "start": (start is not None, "a model that is continued has its encoders and its fusion"),
        "resume": (resume, "a search goes on by itself where it is called again with the same folder"),
        "train.balance": (job.train.balance != "off", "the search has remedies of its own: other settings"),
        "train.unfreeze": (job.train.unfreeze is not None, "a second stage would go beyond the budget"),
        "train.pretrain": (job.train.pretrain is not None, "every candidate would be pre-trained first"),
    }
    raise_together(
        [
            ConfigError(f"{place} does not go with a budget", place=place, rule=rule)
            for place, (given, rule) in faults.items()
            if given
        ]
    )
    if find_spec("optuna") is None:
        raise MissingExtraError("a budget needs Optuna", cure="pip install 'sensorium[search]'")


def _check_compared(job: Config) -> None:
    """What a comparison can't honour."""
    if job.train.balance != "off":
        cure = "sensorium fit --doctor, or a technique by name: --set train.techniques.pmr={}"
        raise ConfigError("compare trains every model as it is set", place="train.balance", rule="off", cure=cure)
    if job.train.unfreeze:
        raise ConfigError("compare trains each model once", place="train.unfreeze", cure="leave it away, or use fit")


def _checkpoint(run: Run | None, resume: bool, report: Reporter) -> Checkpoint | None:
    """Of a run that has a folder; that an unfinished one lies there is told where it is not asked for."""
    if run is None:
        if resume:
            raise ConfigError("no run to resume is named", place="resume", rule="a run's folder", cure="out=FOLDER")
        return None
    checkpoint = run.checkpoint(resume)
    unfinished = "" if resume else checkpoint.unfinished()
    if unfinished:
        report.log(
            f"? {checkpoint.path} keeps a run that stopped {unfinished}: with resume it would go on; "
            "this run starts afresh and will replace it"
        )
    return checkpoint


def _bundle_of(start: str | Path | Model, settings: Mapping[str, Any]) -> FittedModel:
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
