"""The training loop: epochs, early stopping, and the weights of the best epoch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from sensorium.config import TrainConfig
from sensorium.runtime.progress import Bar, Reporter
from sensorium.techniques import TrainingContext
from sensorium.train.checkpoint import Checkpoint, Keeper
from sensorium.train.compiled import check_compiler, compiling
from sensorium.train.events import Events
from sensorium.train.history import Epoch, History
from sensorium.train.pace import Pace
from sensorium.train.precision import Precision
from sensorium.train.soup import check_soup, mix_soup
from sensorium.train.state import Place, State
from sensorium.train.steps import Steps
from sensorium.train.validate import check_answers, validate


def train(
    context: TrainingContext,
    config: TrainConfig,
    seed: int,
    *,
    report: Reporter,
    keep: Callable[[], None],
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train until the last epoch or early stopping; the model gets the weights of its best epoch, or a soup.

    After an epoch, the model is kept if it is the best, then callbacks receive the event, then a checkpoint is written.
    So callbacks have received the event of every epoch in a checkpoint.

    Args:
        context: context of the training: model, task, batches, rows, callbacks.
        config: settings of the loop; batch size and number of epochs are those of the context.
        seed: random seed for the order of rows, augmentations and mixup.
        report: receives the progress.
        keep: called after each epoch that is the best so far, with its weights in the model.
        checkpoint: file for the state of the training, to resume from.

    Raises:
        TrainingError: the loss is not finite, or the checkpoint belongs to another run.
        ConfigError: a setting does not suit the device, or needs validation rows.
        CallbackError: a callback raised an exception.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint holds the state.
    """
    check_soup(config, context.validation_rows)
    state = State(context, config, seed)
    keeper = Keeper(state, checkpoint)
    keeper.resume(checkpoint, report)
    events = Events(state)
    with compiling(context.model, config.compile), keeper.watching(), events.fit(config, seed):
        with _bar(state, report) as bar:
            steps, pace = Steps(state, bar), Pace(state, report)
            while not state.over:
                loss = steps.run(keeper.after_step)
                if _end_epoch(state, loss):
                    keep()
                bar.note("; ".join(filter(None, [_epoch_text(state), pace.after_epoch()])))
                events.epoch_end()
                keeper.after_epoch()
                if events.should_stop():
                    break
        with report.phase("choosing the weights"):
            _finish(state, by_callback=events.by_callback)
    return state.history


def check_device(config: TrainConfig, device: torch.device) -> None:
    """Check the settings that depend on the device, before there is a model.

    Raises:
        ConfigError: the device does not support the precision, or there is no compiler.
    """
    Precision(config.precision, device)
    if config.compile:
        check_compiler(device)


def _bar(state: State, report: Reporter) -> Bar:
    total = state.context.epochs * len(state.context.train_rows)
    title = "training" if state.context.supervised else "pre-training"
    return report.bar(title, total - min(total, state.rows_done), until=f"to epoch {state.context.epochs}")


def _end_epoch(state: State, loss: float) -> bool:
    """Validate the model and add the epoch to the history; return whether it is the best so far."""
    context, history, place = state.context, state.history, state.place
    check_answers(context, state.config, place.epoch)
    found = validate(context, history.watched)
    speed = len(context.train_rows) / place.seconds
    figures = (found.loss, found.metric, place.rate, speed, place.seconds, found.calibrated_loss)
    history.epochs.append(Epoch(place.epoch, loss, *figures))
    best = state.best.add(history, context.model)
    if best:
        history.best = place.epoch
    state.place = Place(place.epoch + 1, rate=state.rate)
    return best


def _epoch_text(state: State) -> str:
    epoch, watched = state.history.epochs[-1], state.history.watched
    validated = "" if math.isnan(epoch.validation_loss) else f", validation {watched} {epoch.metric:.3f}"
    return f"epoch {epoch.number}/{state.context.epochs}, loss {epoch.loss:.3f}{validated}"


def _finish(state: State, *, by_callback: bool) -> None:
    """Load the final weights into the model and complete the history.

    Args:
        state: of the training.
        by_callback: whether a callback has ended the training.
    """
    if state.config.soup > 1:
        mix_soup(state.context, state.history, state.best)
    else:
        state.best.load(state.context.model)
    state.history.techniques = {name: technique.report() for name, technique in state.techniques.items()}
    stop = state.stopping.check(state.history, by_callback=by_callback)
    state.history.stopped = stop.to_json() if stop else {}
    state.history.seconds = state.seconds
