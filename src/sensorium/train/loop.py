"""Epochs, early stopping, the best kept."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from sensorium.config import TrainConfig
from sensorium.runtime.progress import Bar, Reporter
from sensorium.train.checkpoint import Checkpoint, Keeper
from sensorium.train.compiled import check_compiler, compiling
from sensorium.train.history import Epoch, History
from sensorium.train.job import Training
from sensorium.train.precision import Precision
from sensorium.train.soup import check_soup, mix_soup
from sensorium.train.state import Place, State
from sensorium.train.steps import Steps
from sensorium.train.validate import check_answers, validate


def train(
    job: Training,
    config: TrainConfig,
    seed: int,
    *,
    report: Reporter,
    keep: Callable[[], None],
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train until the epochs are over or patience is; the model ends with the weights of its best epoch, or a soup.

    Args:
        job: model, task, batches, rows.
        config: the loop's settings.
        seed: of the order of rows, of augmentations and mixtures.
        report: where progress is told.
        keep: called after each epoch that is the best so far, with those weights in the model.
        checkpoint: where the run's state is kept as it goes on, and taken up from.

    Raises:
        TrainingError: the loss is no number any more; the checkpoint is another run's.
        ConfigError: what can't be honoured on this device, or without validation rows.
        Interrupted: Ctrl-C or SIGTERM; the state is in the checkpoint.
    """
    check_soup(config, job.validation_rows)
    state = State(job, config, seed)
    keeper = Keeper(state, checkpoint)
    keeper.resume(checkpoint, report)
    total = state.epochs * len(job.train_rows)
    with compiling(job.model, config.compile), keeper.watching():
        with report.bar("training" if job.supervised else "pre-training", total - min(total, state.rows_done)) as bar:
            steps = Steps(state, bar)
            while not state.over:
                loss = steps.run(keeper.after_step)
                if _end_epoch(state, loss, bar):
                    keep()
                keeper.after_epoch()
                if job.enough():
                    break
        _finish(state)
    return state.history


def check_device(config: TrainConfig, device: torch.device) -> None:
    """Settings that depend on where the model is, looked at before there is one.

    Raises:
        ConfigError: a precision that the device does not compute in, compiled code without a compiler.
    """
    Precision(config.precision, device)
    if config.compile:
        check_compiler(device)


def _end_epoch(state: State, loss: float, bar: Bar) -> bool:
    """Validate and write the history's next line; was it the best epoch so far?"""
    job, history, place = state.job, state.history, state.place
    check_answers(job, state.config, state.size, place.epoch)
    found = validate(job, history.watched, state.size)
    speed = len(job.train_rows) / place.seconds
    history.epochs.append(Epoch(place.epoch, loss, *found, place.rate, speed, place.seconds))
    watched = "" if math.isnan(found[0]) else f", validation {history.watched} {found[1]:.3f}"
    bar.note(f"epoch {place.epoch}/{state.epochs}, loss {loss:.3f}{watched}")
    best = state.best.add(history, job.model)
    if best:
        history.best = place.epoch
    state.place = Place(place.epoch + 1, rate=state.rate)
    return best


def _finish(state: State) -> None:
    """The weights that count, and what there is to tell."""
    if state.config.soup > 1:
        mix_soup(state.job, state.history, state.best, state.size)
    else:
        state.best.load(state.job.model)
    state.history.techniques = {name: technique.report() for name, technique in state.techniques.items()}
    state.history.seconds = state.seconds
