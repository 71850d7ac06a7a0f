"""Train a model: `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Unpack

from sensorium.api._call import LESS, Settings, check_forms, fold_options, gather_config, without_modules
from sensorium.api._fit_steps import FitCall, run_fit
from sensorium.artifact.run_folder import check_folder as check_run_folder
from sensorium.config import FLAG, NAMES, OPTIONAL_PATH, TIME, as_plain, check_arguments
from sensorium.errors import ConfigError
from sensorium.errors.memory import explain_memory_errors
from sensorium.files import alone_in
from sensorium.model import FittedModel, check_modules
from sensorium.planning import continued_settings
from sensorium.predictor import Model, load
from sensorium.presets import FitSetup
from sensorium.registry.failures import explain_member_errors
from sensorium.runtime.events import Callback, check_callbacks
from sensorium.runtime.progress import reporter
from sensorium.strategies import Budget, Request, parse_budget
from sensorium.train import open_trackers
from sensorium.trials import Control


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
    cut, folder = fold_options(folds, repeats), Path(out) if out else None
    _check_run(folder, resume=resume, overwrite=overwrite)
    if folder:
        check_run_folder(folder, table=table, model=start, config=config)
    source = None if start is None else _fitted_of(start, settings)
    chosen, modules = gather_config(target, config, settings, continued_settings(source.config) if source else {})
    check_modules(modules)
    request = Request(
        chosen,
        time,
        continues=source is not None,
        resume=resume,
        own_modules=bool(modules),
        folds=cut is not None,
    )
    setup, control = FitSetup.of(request), Control(reporter(progress), callbacks=listeners)
    call = FitCall(chosen, setup, source, modules, cut, control, folder, resume=resume, overwrite=overwrite)
    with alone_in(folder) if folder else nullcontext():
        return run_fit(call, table)


def _check_run(folder: Path | None, *, resume: bool, overwrite: bool) -> None:
    """Check that the arguments about an earlier run do not contradict each other."""
    if resume and overwrite:
        raise ConfigError(
            "resume and overwrite contradict each other",
            place="resume, overwrite",
            rule="resume continues the run in the folder; overwrite replaces it",
            cure="leave out one of them",
        )
    if resume and not folder:
        rule = "resume=True needs out, the folder of the interrupted run"
        raise ConfigError("resume needs the folder of a run", place="resume", rule=rule, cure="add out=FOLDER")


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
