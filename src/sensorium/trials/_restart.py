"""Train a network again, once, if it predicts a constant; keep the better of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sensorium.config import Config, TrainConfig, overlay
from sensorium.errors import TrainingError
from sensorium.evaluate.constant import mean_loss, predicts_constant
from sensorium.model import trained_backbones
from sensorium.model.card import RestartRecord
from sensorium.planning import PreparedTable
from sensorium.trials._spec import TrialSpec
from sensorium.wording import restart_sentence

if TYPE_CHECKING:
    from sensorium.metrics import Outcome
    from sensorium.trials._result import Control, TrialResult

SLOWER = 10.0  # times lower than the first learning rate, and at most the default one
OTHER_SEED = 7919  # added to the seed: other initial weights, as the first ones may be why the network collapsed


def train_guarded(
    data: PreparedTable, spec: TrialSpec, control: Control, learn: Callable[[TrialSpec, Control], TrialResult]
) -> TrialResult:
    """Train a network; if it predicts a constant (see `predicts_constant`), train it once more and keep the better one.

    The second training has a tenth of the learning rate (at most the default one), other initial weights, and frozen
    backbones where pretrained ones were trained. The validation loss decides which network is kept. There is no second
    training without validation rows, after a callback ended the first one, when the time is over, or if
    `control.restarts` is False. A killed run finishes the first training from its checkpoint, finds the same collapse,
    and resumes the second one from a checkpoint of its own, so it ends with the same weights.

    Args:
        data: the table.
        spec: the specification of the trial.
        control: options that do not change the result.
        learn: trains the network of a spec.
    """
    _forget_earlier(control)
    first = learn(spec, control)
    if not _is_collapsed(data, first):
        return first
    if not control.restarts or control.should_stop() or first.training_history.stopped.get("reason") == "callback":
        return _marked(first, RestartRecord(losses=[_loss(data, first)], collapsed=True), control)
    config = first.model.config
    again = _again(first, config)
    control.report.log(
        f"? the network predicts a constant: it is trained again with learning rate {_rate(config.train):g}"
    )
    try:
        second = learn(again, _of_second(control))
    except TrainingError as error:
        record = RestartRecord(losses=[_loss(data, first)], failure=error.finding, collapsed=True)
        return _marked(first, record.updated(learning_rate=_rate(config.train)), control)
    return _better(data, first, second, control)


def _better(data: PreparedTable, first: TrialResult, second: TrialResult, control: Control) -> TrialResult:
    losses = [_loss(data, result) for result in (first, second)]
    takes_second = losses[1] < losses[0]
    kept = second if takes_second else first
    record = RestartRecord(
        learning_rate=second.model.config.train.learning_rate,
        losses=losses,
        kept="second" if takes_second else "first",
        collapsed=_is_collapsed(data, kept),
        seconds=round((first if takes_second else second).seconds, 3),
    )
    # The settings stay those of the run: the record holds the learning rate of the second training.
    fitted = replace(kept.model, config=first.model.config)
    seconds = first.seconds + second.seconds
    fitted.card = fitted.card.updated(seconds=round(seconds, 3))
    return _marked(replace(kept, spec=first.spec, fitted=fitted, seconds=seconds), record, control)


def _marked(result: TrialResult, record: RestartRecord, control: Control) -> TrialResult:
    """Return the result with the record of the collapse on its model card, and log it."""
    result.model.card = result.model.card.updated(restart=record)
    control.report.log(f"? {restart_sentence(record)}")
    return replace(result, collapsed=record.collapsed)


def _is_collapsed(data: PreparedTable, result: TrialResult) -> bool:
    return "validation" in result.outcomes and predicts_constant(_own(data, result))


def _loss(data: PreparedTable, result: TrialResult) -> float:
    return mean_loss(_own(data, result))


def _own(data: PreparedTable, result: TrialResult) -> Outcome:
    """Return the outcome on the validation rows that have a value: the others get the prior."""
    has_value = data.cells.only(result.model.learnt).has_any()[data.rows("validation")]
    return result.outcomes["validation"].take(np.flatnonzero(has_value))


def _again(first: TrialResult, config: Config) -> TrialSpec:
    """Return the specification of the second training."""
    spec = first.spec
    backbones = trained_backbones(first.model.blueprint)
    train: dict[str, Any] = {"learning_rate": _rate(config.train)}
    if backbones:
        train["freeze"] = [*config.train.freeze, *backbones]
    settings = overlay(spec.settings, {"train": train})
    return replace(spec, name=f"{spec.name}, restarted", seed=_seed(spec, config), settings=settings)


def _rate(train: TrainConfig) -> float:
    return min(float(f"{train.learning_rate / SLOWER:g}"), TrainConfig().learning_rate)


def _seed(spec: TrialSpec, config: Config) -> int:
    return (spec.seed_in(config) + OTHER_SEED) % 2**63


def _of_second(control: Control) -> Control:
    """Return the options of the second training, which saves no model: the first one may be better."""
    checkpoint = control.checkpoint and control.checkpoint.of_restart()
    return replace(control, keep=None, checkpoint=checkpoint)


def _forget_earlier(control: Control) -> None:
    """Remove the checkpoint of the second training of an earlier run, unless this run resumes it."""
    if control.checkpoint and not control.checkpoint.resume:
        control.checkpoint.of_restart().forget()
