"""Input of the training loop of a trial, and the work of a training, by which threads and time are planned."""

from __future__ import annotations

import math

import numpy as np
import torch

from sensorium.errors import TrainingError
from sensorium.model import FittedModel, training_work
from sensorium.planning import PreparedTable
from sensorium.prepare.loader import Loader
from sensorium.techniques import TrainingContext
from sensorium.train import batch_size, epoch_count
from sensorium.trials._build import build_fitted, model_of_none
from sensorium.trials._result import USUAL, Control, TrialResult
from sensorium.trials._spec import TrialSpec

START = 2.0  # seconds of a training beside its steps, on an ordinary CPU
STEP, RATE = 0.008, 12e9  # seconds of a training step without work, and multiply-adds per second


def training_of(
    data: PreparedTable, fitted: FittedModel, control: Control = USUAL, trial: str = "model"
) -> TrainingContext:
    """Return the input of the training loop."""
    plan, cells, config = data.plan, data.cells.only(fitted.learnt), fitted.config.train
    train_rows, validation_rows = (data.filled(cells, data.rows(split)) for split in ("train", "validation"))
    if not len(train_rows):  # of a fold; those of a whole table have been checked
        raise TrainingError("no training row of the fold has a value in any column")
    return TrainingContext(
        model=fitted.network,
        task=plan.task,
        loader=Loader(cells, plan.target, plan.device),
        train_rows=train_rows,
        validation_rows=validation_rows,
        empty_rows=np.setdiff1d(data.rows("validation"), validation_rows),
        prior=fitted.prior,
        target=plan.target,
        batch_size=batch_size(config, len(train_rows)),
        epochs=epoch_count(config, len(train_rows)),
        augmentations=data.augmentations(fitted.learnt),
        teacher_scores=data.teacher_scores,
        unlabelled_rows=data.filled(cells, np.flatnonzero(np.isin(plan.used, plan.unlabelled))),
        should_stop=control.should_stop,
        callbacks=control.callbacks,
        trial=trial,
        learnt=fitted.learnt,
        preset="" if plan.config.preset == "auto" else plan.config.preset,
    )


def choose_threads(data: PreparedTable, context: TrainingContext) -> int:
    """Return the number of threads for the training: fewer for a small network, by the work of its first batch."""
    threads = data.plan.threads
    if threads.exact or threads.most == 1 or data.plan.device.type != "cpu":
        return threads.most
    work = _step_work(context)
    return threads.for_work(work) if work else threads.most


def _step_work(context: TrainingContext) -> int:
    """Return the work of a training step, in multiply-adds; 0 without readable rows."""
    rows = torch.from_numpy(context.train_rows[: context.batch_size])
    batch = next(context.loader.batches([rows]), None)
    return training_work(context.model, batch) if batch and len(batch.rows) else 0


def estimate_seconds(data: PreparedTable, result: TrialResult) -> float:
    """Estimate how long the training of a network took on an ordinary CPU.

    The estimate counts multiply-adds, so it is the same on every machine and however busy the machine is.
    """
    return _estimate(result.spec.data(data), result.model, len(result.training_history.epochs))


def estimate_all_epochs(data: PreparedTable, spec: TrialSpec) -> float:
    """Estimate how long the training of a network takes if it does not stop early (see `estimate_seconds`)."""
    own = spec.data(data)
    with torch.random.fork_rng([]):
        fitted = build_fitted(own, spec, model_of_none)
    return _estimate(own, fitted, training_of(own, fitted).epochs)


def _estimate(data: PreparedTable, fitted: FittedModel, epochs: int) -> float:
    context = training_of(data, fitted)
    with data.reading_features(fitted.networks):
        work = _step_work(context)
    return START + epochs * math.ceil(len(context.train_rows) / context.batch_size) * (STEP + work / RATE)
