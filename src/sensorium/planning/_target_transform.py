"""Choose the transform of a skewed target by the squared errors of a linear model, out of fold on training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sensorium.baselines import Job, fold_losses
from sensorium.config import Config, set_both
from sensorium.errors import SchemaError
from sensorium.findings import count
from sensorium.prepare import names_files, prepare_columns
from sensorium.prepare.summaries import summarize
from sensorium.registry.defaults import SIMPLEST_PRESET
from sensorium.runtime.progress import Silent
from sensorium.schema import Schema
from sensorium.split import FoldOptions, Folds, make_folds
from sensorium.table import Column, Floats, Note, Rows, Table
from sensorium.tasks import EncodedTarget, Task, learn_task
from sensorium.tasks.regression import Regression

if TYPE_CHECKING:
    from sensorium.modalities import Modality

SUGGESTED = "yeo_johnson"  # what the shape of a skewed distribution suggests
NAMES = {SUGGESTED: "Yeo-Johnson", "none": "no transform", "log": "log"}
GAIN = 0.01  # in R²; smaller ones change nothing
SMALLEST = 1e-300  # variance, which divides
FOLDS = 5
FEWEST, MOST = 100, 1000  # training rows that are compared; of more, evenly spaced ones


def select_transform(
    task: Task,
    target: EncodedTarget,
    *,
    schema: Schema,
    config: Config,
    train: Rows,
    learnt: Mapping[str, Modality],
) -> Task:
    """Return the task with the transform of a skewed target that predicts it best out of fold.

    Where the distribution suggests a transform, ridge regressions on columns that are not read from files are fitted
    without a transform, on the logarithm and with the suggested transform. Their squared errors, in the unit of the
    target, are compared over folds of the training rows. Another transform than the suggested one is chosen if it
    raises R² by more than the standard error over folds, and by more than `GAIN`. Transforms are not compared if a
    setting chooses one, if only a network is trained (the errors of linear models say little about it), or if there are
    too few rows or no columns to compare them with.

    Args:
        task: the task, with the transform that the distribution of the training rows suggests.
        target: the encoded labels of all rows.
        schema: the table with its labels.
        config: the settings.
        train: the training rows.
        learnt: column → its modality.
    """
    if not isinstance(task, Regression) or not task.transform or config.train.target_transform != "auto":
        return task
    if config.preset == SIMPLEST_PRESET:
        return task
    columns = {name: own for name, own in learnt.items() if not _reads_files(own, schema.table.column(name))}
    rows = _sample(train[target.known[train]])
    if not columns:
        return _explained(task, "no other scale was compared: all columns are read from files")
    if len(rows) < FEWEST:
        return _explained(task, f"no other scale was compared: fewer than {FEWEST} training rows")
    try:
        folds = _folds(schema, config, rows)
    except SchemaError as error:  # too few groups or times
        return _explained(task, f"no other scale was compared: {error.finding}")
    job = _job(task, target.values[rows], schema.table.take(rows), columns, config)
    return _best_of(job, {SUGGESTED: task, **_others(task, schema, config, train)}, folds)


def _reads_files(modality: Modality, column: Column) -> bool:
    """Return whether the cells are files, such as images, or series in files of their own."""
    return modality.reads_files or names_files(column)


def _explained(task: Regression, evidence: str) -> Regression:
    """Return the task with what is known of other transforms in its first finding."""
    (reason, cure), *more = task.choices
    return replace(task, choices=[[f"{reason}; {evidence}", cure], *more])


def _best_of(job: Job, tasks: Mapping[str, Regression], folds: Folds) -> Regression:
    """Return the best of some tasks, which explains the choice with the figures of all."""
    found = fold_losses("linear", [replace(job, task=own) for own in tasks.values()], folds.folds)
    variance = max(float((job.target / job.unit).var()), SMALLEST)
    scores = {name: 1 - own / variance for name, own in zip(tasks, found, strict=True)}
    best = _best(scores)
    how = f"{count(len(folds), 'fold')} of {count(len(job.rows), 'training row')}"
    evidence = f"R² of linear models out of fold: {_listed(scores, best)}; {how}"
    if best == SUGGESTED:
        return _explained(tasks[best], evidence)
    return replace(tasks[best], choices=[_note(tasks[best], evidence), *tasks[best].choices])


def _sample(rows: Rows) -> Rows:
    """Return the rows, or evenly spaced ones of many."""
    return rows[np.linspace(0, len(rows) - 1, min(MOST, len(rows))).round().astype(np.int64)]


def _folds(schema: Schema, config: Config, rows: Rows) -> Folds:
    """Return folds by the rules of the split, as positions in the rows."""
    options = FoldOptions(FOLDS)
    found = make_folds(
        schema.table, schema.labels, rows, config.split, options=options, seed=config.seed, continuous=True
    )
    return found.within(rows)


def _job(task: Task, target: Floats, table: Table, columns: Mapping[str, Modality], config: Config) -> Job:
    cells = summarize(prepare_columns(table, columns, Silent()))
    return Job(cells, target, np.arange(len(target)), task, config.seed)


def _others(task: Regression, schema: Schema, config: Config, train: Rows) -> dict[str, Regression]:
    """Return the tasks with another transform than the suggested one; negative values have no logarithm."""
    found, suggested = dict[str, Regression](), task.target_transform
    for name in ("none", "log") if suggested and suggested.lowest >= 0 else ("none",):
        changes = config.train.model_copy(update={"target_transform": name})
        own = config.model_copy(update={"train": changes})
        other = learn_task(schema.task_name, schema.labels, train, schema.reading, own)
        assert isinstance(other, Regression)
        found[name] = other
    return found


def _best(scores: Mapping[str, Floats]) -> str:
    """Return the suggested transform, or another one whose gain exceeds its standard error over folds and `GAIN`."""
    gains = {name: own - scores[SUGGESTED] for name, own in scores.items() if name != SUGGESTED}
    proven = [name for name, own in gains.items() if own.mean() > max(own.std(ddof=1) / np.sqrt(len(own)), GAIN)]
    return max(proven, key=lambda name: float(gains[name].mean()), default=SUGGESTED)


def _listed(scores: Mapping[str, Floats], best: str) -> str:
    """Return the scores as text, that of the chosen transform first."""
    order = sorted(scores, key=lambda name: name != best)
    return ", ".join(f"{scores[name].mean():.2f} with {NAMES[name]}" for name in order)


def _note(task: Regression, evidence: str) -> Note:
    """Return reason and cure of another transform than the suggested one."""
    used = task.target_transform.describe() if task.target_transform else "the amounts as they are"
    reason = f"the amounts are skewed, but {NAMES[SUGGESTED]} has larger errors: trained on {used}; {evidence}"
    return [reason, f"{set_both('train.target_transform', SUGGESTED)} trains on the Yeo-Johnson scale"]
