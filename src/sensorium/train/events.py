"""Send the events of a training to its callbacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sensorium.config import TrainConfig
from sensorium.errors import CallbackError
from sensorium.runtime.events import Callback, EpochEnd, FitEnd, FitStart, Outcome, Stage, StopTraining
from sensorium.techniques import TrainingContext
from sensorium.train.global_state import global_state_restored
from sensorium.train.history import Epoch, History
from sensorium.train.state import State


@dataclass
class Events:
    """Sender of the events of a training to its callbacks.

    Attributes:
        state: of the training.
        stopped: whether a callback or the budget has ended the training.
        by_callback: whether it was a callback.
    """

    state: State
    stopped: bool = False
    by_callback: bool = False

    @contextmanager
    def fit(self, config: TrainConfig, seed: int) -> Iterator[None]:
        """Run a training within this block: call `on_fit_start` before it and `on_fit_end` after it, also if it fails.

        Raises:
            CallbackError: a callback raised an exception.
        """
        try:
            self._send("on_fit_start", _fit_start(self.state, config, seed))
            yield
        except BaseException as error:
            outcome: Outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            self._send_end(outcome)
            raise
        self._send("on_fit_end", _fit_end(self.state, "stopped" if self.stopped else "completed"))

    def epoch_end(self) -> None:
        """Send the latest epoch; a callback that raises `StopTraining` ends the training, after all got the event.

        Raises:
            CallbackError: a callback raised another exception.
        """
        self._send("on_epoch_end", _epoch_end(self.state.context, self.state.history))

    def should_stop(self) -> bool:
        """Return whether the training ends before the last epoch."""
        self.stopped = self.stopped or self.state.context.should_stop()
        return self.stopped

    def _send(self, method: str, event: object) -> None:
        for callback in self.state.context.callbacks:
            try:
                self._call(callback, method, event)
            except StopTraining:
                if method != "on_epoch_end":
                    raise _failure(callback, method, "StopTraining can only be raised in on_epoch_end") from None
                self.stopped = self.by_callback = True
            except Exception as error:  # whatever the caller's code raises
                raise _failure(callback, method, f"{type(error).__name__}: {error}") from error

    def _send_end(self, outcome: Outcome) -> None:
        """Let every callback close its files; report only the error that ended the training."""
        for callback in self.state.context.callbacks:
            with suppress(Exception):
                self._call(callback, "on_fit_end", _fit_end(self.state, outcome))

    def _call(self, callback: Callback, method: str, event: object) -> None:
        """Dropout draws from the generators of torch, and so on: what a callback sets must not change the training."""
        with global_state_restored(self.state.streams.device):
            getattr(callback, method)(event)


def _failure(callback: Callback, method: str, finding: str) -> CallbackError:
    kind = type(callback)
    return CallbackError(
        f"the callback {kind.__name__} failed in {method}: {finding}",
        place=f"{kind.__module__}.{kind.__qualname__}",
        cure="correct the callback or leave it out; the folder of the run keeps the best model so far",
    )


def _stage(context: TrainingContext) -> Stage:
    return "training" if context.supervised else "pre-training"


def _fit_start(state: State, config: TrainConfig, seed: int) -> FitStart:
    context = state.context
    filled_in = {"batch_size": context.batch_size, "epochs": context.epochs, "seed": seed}
    return FitStart(
        trial=context.trial,
        stage=_stage(context),
        epochs=context.epochs,
        epochs_done=len(state.history.epochs),
        train_rows=len(context.train_rows),
        validation_rows=len(context.validation_rows),
        metric=state.history.watched,
        settings=config.model_dump(mode="json") | filled_in,
    )


def _epoch_end(context: TrainingContext, history: History) -> EpochEnd:
    epoch = history.epochs[-1]
    return EpochEnd(
        trial=context.trial,
        stage=_stage(context),
        epoch=epoch.number,
        epochs=context.epochs,
        train_loss=epoch.loss,
        validation_metrics=_validation_metrics(epoch, history.watched) if len(context.validation_rows) else {},
        learning_rate=epoch.learning_rate,
        seconds=epoch.seconds,
        rows_per_second=epoch.rows_per_second,
        best_epoch=history.best,
    )


def _validation_metrics(epoch: Epoch, watched: str) -> Mapping[str, float]:
    return {"loss": epoch.validation_loss, "calibrated_loss": epoch.calibrated_loss, watched: epoch.metric}


def _fit_end(state: State, outcome: Outcome) -> FitEnd:
    history = state.history
    stage, trial = _stage(state.context), state.context.trial
    return FitEnd(trial, stage, outcome, len(history.epochs), history.best, state.seconds)
