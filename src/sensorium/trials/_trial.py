"""Train one model on a prepared table, and predict the validation and test rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from sensorium.config import TrainConfig
from sensorium.errors import SensoriumError, TrainingError
from sensorium.metrics import Outcome
from sensorium.model import FittedModel
from sensorium.model.card import HistoryRecord, PretrainingRecord
from sensorium.planning import PreparedTable
from sensorium.runtime.profiling import ResourceMeter
from sensorium.runtime.threads import torch_threads
from sensorium.techniques import TrainingContext
from sensorium.train import Pretraining, pretrain, train
from sensorium.trials._baseline import fit_baseline
from sensorium.trials._build import build_fitted
from sensorium.trials._calibrate import calibrate_model, with_test_changes
from sensorium.trials._conformal import with_conformal, with_tested_coverage
from sensorium.trials._correct_bias import correct_bias
from sensorium.trials._cost import Cost
from sensorium.trials._restart import train_guarded
from sensorium.trials._result import USUAL, Control, TrialResult
from sensorium.trials._spec import TrialSpec
from sensorium.trials._thresholds import decide_by
from sensorium.trials._warm_up import warm_up
from sensorium.trials._work import choose_threads, training_of
from sensorium.trials.fingerprint import identity


def run_trial(data: PreparedTable, spec: TrialSpec, control: Control = USUAL) -> TrialResult:
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
    """Predict the test rows, and record the members and the weights of the modalities on the model card.

    The validation rows calibrate prediction sets and intervals, if other rows have not done so.
    """
    fitted, outcomes = result.model, dict(result.outcomes)
    if not fitted.conformal and (validated := outcomes.get("validation")):
        fitted = with_conformal(data, fitted, validated, result.rows(data, "validation"), "validation")
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
        conformal = with_tested_coverage(data, fitted, outcomes.get("test"))
    members = fitted.member_records() if len(fitted.members) > 1 else None
    card = fitted.card.updated(modality_weights=weights, members=members, calibration=calibration, conformal=conformal)
    fitted.card = card.with_problems(problems)
    return replace(result, fitted=fitted, outcomes=outcomes)


def calibrate_ensemble(data: PreparedTable, result: TrialResult) -> TrialResult:
    """Return the result of a model of several members with calibrated probabilities."""
    with data.reading_features(result.model.networks):
        fitted = correct_bias(data, calibrate_model(data, result.model))
        outcome = data.outcome(fitted, "validation")
        fitted = decide_by(data.plan, fitted, outcome.scores, data.rows("validation"))
        return replace(result, fitted=fitted, outcomes={"validation": outcome})


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
            threads = choose_threads(data, context)
            made_of = _made_of(data, fitted, context) | {"threads in use": threads} if control.checkpoint else {}
            checkpoint = control.checkpoint and replace(control.checkpoint, made_of=made_of)
            with torch_threads(threads):
                result = _train(data, spec, fitted, context, seed, replace(control, checkpoint=checkpoint))
    return replace(result, threads=threads)


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
    scores = outcomes["validation"].scores if outcomes else fitted.prior_scores(0)
    fitted = decide_by(data.plan, fitted, scores, data.rows("validation"))
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
