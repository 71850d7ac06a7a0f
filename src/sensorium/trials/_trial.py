"""Train one model on a prepared table, and predict the validation and test rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sensorium.baselines import Baseline
from sensorium.config import TrainConfig
from sensorium.errors import SensoriumError, TrainingError
from sensorium.metrics import Outcome, score
from sensorium.model import FittedModel, training_work
from sensorium.model.card import BlendRecord, HistoryRecord, PretrainingRecord
from sensorium.planning import PreparedTable
from sensorium.prepare.loader import Loader
from sensorium.runtime.events import Callback
from sensorium.runtime.profiling import ResourceMeter
from sensorium.runtime.progress import Reporter, Silent
from sensorium.runtime.threads import torch_threads
from sensorium.techniques import TrainingContext
from sensorium.train import Checkpoint, History, Pretraining, batch_size, epoch_count, pretrain, train
from sensorium.trials._baseline import fit_baseline
from sensorium.trials._build import ModelOf, build_fitted, model_of_none
from sensorium.trials._calibrate import calibrate_model, with_test_changes
from sensorium.trials._correct_bias import correct_bias
from sensorium.trials._cost import Cost
from sensorium.trials._restart import train_guarded
from sensorium.trials._spec import TrialSpec
from sensorium.trials._warm_up import warm_up
from sensorium.trials.fingerprint import identity

STEP, RATE = 0.004, 5e9  # seconds of a training step without work, and multiply-adds per second, of an ordinary CPU

if TYPE_CHECKING:
    from sensorium.table import Rows


@dataclass(frozen=True)
class Control:
    """Options of running a trial that do not change its result.

    Attributes:
        report: logs progress.
        keep: called with the model after each epoch that is the best so far.
        checkpoint: saves the state of training, and resumes from it.
        should_stop: called after each epoch; training stops if it returns True.
        callbacks: receive the events of training.
        model_of: returns the model of an earlier trial by its name.
        judge: whether to predict the test rows as well; a search only does so for the chosen model.
        measure: whether to measure memory, energy and speed of prediction.
        restarts: whether a network that predicts a constant is trained again; a search tries other settings instead.
    """

    report: Reporter = field(default_factory=Silent)
    keep: Callable[[FittedModel], None] | None = None
    checkpoint: Checkpoint | None = None
    should_stop: Callable[[], bool] = lambda: False
    callbacks: Sequence[Callback] = ()
    model_of: ModelOf = model_of_none
    judge: bool = True
    measure: bool = False
    restarts: bool = True


@dataclass(frozen=True)
class TrialResult:
    """Result of a trial.

    Attributes:
        spec: the specification of the trial.
        outcomes: `validation` and `test` → truth and scores of the rows, for splits that have rows.
        seconds: time of pre-training and training.
        history: the history of training; None for a baseline.
        fitted: the model; None for a baseline and for a failed trial. The model of a trial that was finished in an
            earlier run is None until it is loaded.
        predict_seconds: time of predicting the test rows; NaN if they were not predicted.
        cost: the cost of the model; None if it was not measured.
        error: the reason why training failed; None if it did not fail.
        threads: number of threads that the network was trained with; None for a baseline and a failed trial.
        judged: positions of the rows of the validation outcome; None if these are all validation rows.
        collapsed: whether the network predicts a constant, also after a second training.
        estimator: the fitted model of a baseline; None for a network and a failed trial.
        blend: how the members of a blend were chosen; None for other models.
    """

    spec: TrialSpec
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    seconds: float = 0.0
    history: History | None = None
    fitted: FittedModel | None = None
    predict_seconds: float = math.nan
    cost: Cost | None = None
    error: TrainingError | None = None
    threads: int | None = None
    estimator: Baseline | None = None
    judged: Rows | None = None
    collapsed: bool = False
    blend: BlendRecord | None = None

    def rows(self, data: PreparedTable, split: str) -> Rows:
        """Return the positions of the rows of an outcome."""
        return self.judged if split == "validation" and self.judged is not None else data.rows(split)

    @property
    def model(self) -> FittedModel:
        """The trained model."""
        assert self.fitted is not None, self.spec.name
        return self.fitted

    @property
    def training_history(self) -> History:
        """Return the history of training."""
        assert self.history is not None, self.spec.name
        return self.history

    def validated(self, metric: str) -> float:
        """Return a metric of the final model on the rows of its validation outcome; NaN if it is not defined."""
        found = self.outcomes.get("validation")
        return float(score(metric, found)[0]) if found else math.nan


def run_trial(data: PreparedTable, spec: TrialSpec, control: Control = Control()) -> TrialResult:
    """Train the model of a spec from its seed; a blend is no single model (see `blending`).

    Args:
        data: the table.
        spec: the specification of the trial.
        control: options that do not change the result.

    Returns:
        The result. If the loss diverges or the library of a baseline fails, its `error` is set.
    """
    assert not spec.blended, spec.name
    with torch_threads(data.plan.threads.most):
        return _run(spec.data(data), spec, control)


def _run(data: PreparedTable, spec: TrialSpec, control: Control) -> TrialResult:
    if spec.baseline is not None:
        with control.report.phase(f"training {spec.name}"):
            return _run_baseline(data, spec)
    if control.measure:
        warm_up()
    try:
        with ResourceMeter(data.plan.device) if control.measure else nullcontext() as meter:
            result = train_guarded(data, spec, control, partial(_learn, data))
            with control.report.phase("predicting the test rows"):
                result = finish(data, result) if control.judge else result
    except TrainingError as error:
        return TrialResult(spec, error=error)
    if not isinstance(meter, ResourceMeter):
        return result
    parameters = sum(member.parameters for member in result.model.members)
    rate = len(data.rows("test")) / result.predict_seconds
    return replace(result, cost=Cost(result.seconds, parameters, meter.memory, meter.energy, rate))


def finish(data: PreparedTable, result: TrialResult) -> TrialResult:
    """Predict the test rows, and record the members and the weights of the modalities on the model card."""
    fitted, outcomes = result.model, dict(result.outcomes)
    cells = data.cells.only(fitted.learnt)
    threads = result.threads or data.plan.threads.most
    with torch_threads(threads), data.reading_features(fitted.networks):
        if len(data.rows("test")):
            start = time.perf_counter()
            outcomes["test"] = data.outcome(fitted, "test")
            result = replace(result, predict_seconds=time.perf_counter() - start)
        problems = data.all_problems()
        rows = [data.filled(cells, data.rows(split)) for split in ("validation", "train")]
        weights = fitted.modality_weights(cells, rows[0] if len(rows[0]) else rows[1])
        calibration = with_test_changes(data, fitted, outcomes.get("test"))
    members = fitted.member_records() if len(fitted.members) > 1 else None
    card = fitted.card.updated(modality_weights=weights, members=members, calibration=calibration)
    fitted.card = card.with_problems(problems)
    return replace(result, outcomes=outcomes)


def calibrate_ensemble(data: PreparedTable, result: TrialResult) -> TrialResult:
    """Return the result of a model of several members with calibrated probabilities."""
    with data.reading_features(result.model.networks):
        fitted = correct_bias(data, calibrate_model(data, result.model))
        return replace(result, fitted=fitted, outcomes={"validation": data.outcome(fitted, "validation")})


def training_of(
    data: PreparedTable, fitted: FittedModel, control: Control = Control(), trial: str = "model"
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
    )


def _learn(data: PreparedTable, spec: TrialSpec, control: Control) -> TrialResult:
    """Train a model, and predict the validation rows only."""
    device = data.plan.device
    seed = spec.seed_in(data.plan.config)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        with torch_threads(1):  # initial weights, some of them by a decomposition, are the same on every machine
            fitted = build_fitted(data, spec, control.model_of)
        context = training_of(data, fitted, control, spec.name)
        with data.reading_features([fitted.network]):
            threads = _choose_threads(data, context)
            made_of = _made_of(data, fitted, context) | {"threads in use": threads} if control.checkpoint else {}
            checkpoint = control.checkpoint and replace(control.checkpoint, made_of=made_of)
            with torch_threads(threads):
                result = _train(data, spec, fitted, context, seed, replace(control, checkpoint=checkpoint))
    return replace(result, threads=threads)


def _choose_threads(data: PreparedTable, context: TrainingContext) -> int:
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
    return epochs * math.ceil(len(context.train_rows) / context.batch_size) * (STEP + work / RATE)


def _train(
    data: PreparedTable, spec: TrialSpec, fitted: FittedModel, context: TrainingContext, seed: int, control: Control
) -> TrialResult:
    config, checkpoint = fitted.config.train, control.checkpoint
    before = _pretrain(context, config, seed, control) if config.pretrain else None
    checkpoint = checkpoint and replace(checkpoint, before=before.to_state() if before else None)
    keep = control.keep
    saved = (lambda: keep(fitted)) if keep else (lambda: None)
    history = train(context, config, seed, report=control.report, keep=saved, checkpoint=checkpoint)
    seconds = history.seconds + (before.history.seconds if before else 0)
    fitted.card = fitted.card.updated(
        history=HistoryRecord.model_validate(history.to_json()),
        pretraining=before and PretrainingRecord.model_validate(before.to_json()),
        seconds=round(seconds, 3),
    )
    fitted = correct_bias(data, calibrate_model(data, fitted))
    outcomes = {"validation": data.outcome(fitted, "validation")} if len(data.rows("validation")) else {}
    return TrialResult(spec, outcomes, seconds, history, fitted)


def _pretrain(context: TrainingContext, config: TrainConfig, seed: int, control: Control) -> Pretraining | None:
    """Pre-train the model, unless the run resumes from a checkpoint, which holds the pre-trained weights."""
    checkpoint = control.checkpoint
    if checkpoint and checkpoint.resumes:
        before = checkpoint.kept_before()
        return Pretraining.restore(before) if before else None
    return pretrain(context, config, seed, control.report)


def _made_of(data: PreparedTable, fitted: FittedModel, context: TrainingContext) -> dict[str, Any]:
    """Return the identity of a run: on one machine, runs of the same identity give the same weights."""
    arrays = (context.train_rows, context.validation_rows, context.unlabelled_rows, context.target)
    return fitted.config.model_dump(mode="json") | identity(data, fitted.learnt, [*arrays, context.teacher_scores])


def _run_baseline(data: PreparedTable, spec: TrialSpec) -> TrialResult:
    try:
        found = fit_baseline(data, str(spec.baseline))
    except SensoriumError:
        raise
    except Exception as error:  # noqa: BLE001 - of whatever kind a library raises
        return TrialResult(spec, error=TrainingError(f"{type(error).__name__}: {error}"))
    outcomes = {split: data.plan.outcome(scores, data.rows(split)) for split, scores in found.scores.items()}
    return TrialResult(spec, outcomes, found.cost.seconds, cost=found.cost, estimator=found.estimator)


def subset_outcome(data: PreparedTable, fitted: FittedModel, towers: Sequence[str], split: str) -> Outcome:
    """Predict the rows of a split from a subset of the modalities."""
    rows, cells = data.rows(split), data.cells.only(fitted.learnt)
    with data.reading_features(fitted.networks):
        scores, _ = fitted.subset_scores(cells, [list(towers)], rows)
    return data.plan.outcome(scores[0], rows)
