"""Events of training, and callbacks that receive them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sensorium.errors import ConfigError, SensoriumError, near_name, raise_together

Stage: TypeAlias = Literal["training", "pre-training"]
Outcome: TypeAlias = Literal["completed", "stopped", "interrupted", "failed"]
EVENTS = ("on_fit_start", "on_epoch_end", "on_fit_end")


@dataclass(frozen=True)
class FitStart:
    """Event: the training of one model starts.

    Attributes:
        trial: name of the model: `plain` if one network is trained; a blend, a search and the check for modality
            imbalance train several.
        stage: `training` or `pre-training`.
        epochs: maximum number of epochs.
        epochs_done: number of epochs before a resumed training; else 0.
        train_rows, validation_rows: numbers of rows.
        metric: name of the validation metric that early stopping watches.
        settings: settings of the training and its random seed, as JSON values.

    Example:
        >>> class Print(sensorium.Callback):
        ...     def on_fit_start(self, event: sensorium.FitStart):
        ...         print(event.trial, event.epochs, event.metric)
        >>> model = sensorium.fit("films.csv", "genre", epochs=2, callbacks=[Print()], progress=False)
        plain 2 accuracy
    """

    trial: str
    stage: Stage
    epochs: int
    epochs_done: int
    train_rows: int
    validation_rows: int
    metric: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class EpochEnd:
    """Event: an epoch has ended and was validated.

    Attributes:
        trial, stage: as in `FitStart`.
        epoch: number of the epoch, from 1.
        epochs: maximum number of epochs.
        train_loss: mean loss over the steps of the epoch.
        validation_metrics: metric → value on the validation rows, among them `loss`, and `calibrated_loss` (log loss
            after temperature scaling); empty without such rows.
        learning_rate: learning rate at the start of the epoch.
        seconds: duration of the epoch, without validation.
        rows_per_second: training rows per second.
        best_epoch: number of the best epoch so far.

    Example:
        >>> class Print(sensorium.Callback):
        ...     def on_epoch_end(self, event: sensorium.EpochEnd):
        ...         print(event.epoch, sorted(event.validation_metrics))
        >>> model = sensorium.fit("films.csv", "genre", epochs=1, callbacks=[Print()], progress=False)
        1 [...'accuracy'...]
    """

    trial: str
    stage: Stage
    epoch: int
    epochs: int
    train_loss: float
    validation_metrics: Mapping[str, float]
    learning_rate: float
    seconds: float
    rows_per_second: float
    best_epoch: int

    @property
    def is_best(self) -> bool:
        """Return whether this epoch is the best so far."""
        return self.epoch == self.best_epoch


@dataclass(frozen=True)
class FitEnd:
    """Event: the training of one model has ended.

    Attributes:
        trial, stage: as in `FitStart`.
        outcome: `completed` (all epochs, or early stopping), `stopped` (by a callback or a time budget), `interrupted`
            (by a signal) or `failed` (by an error).
        epochs_done: number of epochs.
        best_epoch: number of the best epoch; 0 if there is none.
        seconds: duration of the training, validation included.

    Example:
        >>> class Print(sensorium.Callback):
        ...     def on_fit_end(self, event: sensorium.FitEnd):
        ...         print(event.outcome, event.epochs_done)
        >>> model = sensorium.fit("films.csv", "genre", epochs=2, callbacks=[Print()], progress=False)
        completed 2
    """

    trial: str
    stage: Stage
    outcome: Outcome
    epochs_done: int
    best_epoch: int
    seconds: float


class StopTraining(Exception):
    """Exception to raise in `on_epoch_end` to end the training; the model gets the weights of its best epoch.

    Example:
        >>> class StopAfterTwo(sensorium.Callback):
        ...     def on_epoch_end(self, event):
        ...         if event.epoch == 2:
        ...             raise sensorium.StopTraining
        >>> model = sensorium.fit("films.csv", "genre", epochs=9, callbacks=[StopAfterTwo()], progress=False)
        >>> len(model.history)
        2
    """


class Callback:
    """Base class of callbacks: override the methods that you need.

    A callback sees numbers, never the network, and the global state of torch (random generators, default dtype and
    device, number of threads, gradients, deterministic algorithms) is restored after each call. So a model is the same,
    bit for bit, with and without callbacks.

    Each training calls `on_fit_start` once, `on_epoch_end` after every epoch and `on_fit_end` once, also if it fails. A
    resumed training does not repeat the events of epochs in its checkpoint.

    An exception in a callback ends `fit` with a `CallbackError`; the best model so far stays in the folder of the run.

    Example:
        >>> import sensorium
        >>> class Print(sensorium.Callback):
        ...     def on_epoch_end(self, event):
        ...         print(event.epoch, event.train_loss > 0)
        >>> table = {"x": [row % 7 for row in range(40)], "y": ["a", "b"] * 20}
        >>> model = sensorium.fit(table, "y", epochs=2, callbacks=[Print()], progress=False)
        1 True
        2 True
    """

    def on_fit_start(self, event: FitStart) -> None:
        """Handle the start of a training, before the first epoch."""

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Handle the end of an epoch.

        Raises:
            StopTraining: the training should end after this epoch.
        """

    def on_fit_end(self, event: FitEnd) -> None:
        """Handle the end of a training, after the last epoch or a failure."""


def check_callbacks(callbacks: Sequence[Callback]) -> None:
    """Check that all objects are callbacks, before training.

    Raises:
        ConfigError: an object is not a callback.
    """
    rule = "an instance of a subclass of sensorium.Callback"
    if not isinstance(callbacks, Sequence):
        raise ConfigError("callbacks must be a list", place="callbacks", rule=rule, cure="callbacks=[my_callback]")
    faults: list[SensoriumError] = []
    for number, callback in enumerate(callbacks):
        if not isinstance(callback, Callback):
            of_type = f"an object of type {type(callback).__name__}"
            named = f"the class {callback.__name__}" if isinstance(callback, type) else of_type
            faults.append(ConfigError(f"{named} is not a callback", place=f"callbacks[{number}]", rule=rule))
        else:
            faults.extend(_faults_of_methods(callback, f"callbacks[{number}]"))
    raise_together(faults)


def _faults_of_methods(callback: Callback, place: str) -> Iterator[SensoriumError]:
    """Yield an error for each method that no event calls because of its name, or that does not take the event."""
    known = ", ".join(EVENTS)
    for name in (name for name in dir(callback) if name.startswith("on_")):
        own = f"{type(callback).__name__}.{name}"
        if name not in EVENTS:
            renamed = f"rename it {near}" if (near := near_name(name, EVENTS)) else f"rename it to one of {known}"
            cure = f"{renamed}, or give it a name that does not begin with on_"
            yield ConfigError(f"no event calls {own}", place=place, rule=f"one of {known}", cure=cure)
        elif not _takes_event(getattr(callback, name)):
            yield ConfigError(f"{own} does not take the event", place=place, rule=f"{name}(self, event)")


def _takes_event(method: object) -> bool:
    try:
        inspect.signature(method).bind(None)  # type: ignore[arg-type]  # what is not callable is a TypeError
    except TypeError:
        return False
    except ValueError:  # a method without a signature
        return True
    return True
