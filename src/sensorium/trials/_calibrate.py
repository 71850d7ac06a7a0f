"""Calibrate a trained model, a single network or a blend of members, on the validation rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sensorium.evaluate.calibration import Calibration, calibrate_targets
from sensorium.evaluate.prior_bound import bound_targets
from sensorium.metrics import Outcome, Part, score
from sensorium.model import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE, FittedModel, Member, NetworkMember, Outputs
from sensorium.model.card import CalibrationRecord
from sensorium.planning import PreparedTable

if TYPE_CHECKING:
    from sensorium.planning import Plan
    from sensorium.prepare import Prepared
    from sensorium.table import Rows
    from sensorium.tasks import Task, Temperature

METRICS = ("log_loss", "ece")


def calibrate_model(data: PreparedTable, fitted: FittedModel) -> FittedModel:
    """Return the model with calibrated probabilities, where that helps, and with the record of it.

    The validation rows fit the temperature. They also chose the epoch, so the model fits them slightly better than new
    rows.
    """
    plan = data.plan
    if fitted.config.calibrate == "none":
        return fitted
    cells = data.cells.only(fitted.learnt)
    rows = data.filled(cells, data.rows("validation"))
    if not len(rows):
        return fitted
    found = find_calibration(plan, _outputs(fitted, cells, rows), rows, fitted.prior)
    return with_calibration(plan.task, fitted, found)


def find_calibration(plan: Plan, outputs: Outputs, rows: Rows, prior: Sequence[float]) -> dict[str, Calibration]:
    """Return the calibration of each target by some rows, bounded by the class frequencies.

    Class weights that the settings name move the probabilities away from the class frequencies on purpose, so these
    bound nothing then: mixed with them, a rare class would not be predicted.

    Args:
        plan: the plan of the table.
        outputs: outputs of the model on the rows.
        rows: positions of rows with a label.
        prior: the class frequencies.
    """
    truth, groups = plan.target[rows], None if plan.groups is None else plan.groups[rows]
    found = calibrate_targets(plan.task, outputs, truth, plan.config.seed, groups)
    if plan.config.train.class_weight in ("balanced", "sqrt"):
        return found
    return bound_targets(found, plan.task, outputs, truth, prior)


def with_calibration(task: Task, fitted: FittedModel, found: Mapping[str, Calibration]) -> FittedModel:
    """Return the model scaled by further temperatures, and with the record of them.

    A single network divides its logits by the temperature. Several members together get a temperature of their own.

    Args:
        task: the task of the model.
        fitted: the model.
        found: target → its calibration, as `calibrate_targets` returns it; empty if nothing is scaled.
    """
    if not found:
        return fitted
    fitted = replace(fitted, prior_share=_prior_shares(task, found))
    if _is_network(fitted):
        scaled = fitted.with_first(temperature=_times(task, fitted.temperature, found))
    else:
        scaled = replace(fitted, blend_temperature=_times(task, fitted.blend_temperature, found))
    return replace(scaled, card=fitted.card.updated(calibration=_record(task, scaled, found)))


def _is_network(fitted: FittedModel) -> bool:
    """Return whether the model is a single network."""
    return len(fitted.members) == 1 and isinstance(fitted.members[0], NetworkMember)


def _outputs(fitted: FittedModel, cells: Prepared, rows: Rows) -> Outputs:
    """Return what the temperature scales: logits of a single network, scores of any other model."""
    if not _is_network(fitted):
        return Outputs.of_scores(replace(fitted, prior_share=0.0).scores(cells, rows))
    logits = fitted.task.scaled(fitted.logits(cells.only(fitted.first.columns), rows), fitted.temperature)
    return Outputs.of_logits(logits)


def with_test_changes(data: PreparedTable, fitted: FittedModel, after: Outcome | None) -> CalibrationRecord | None:
    """Return the record of calibration with the metrics on the test rows, without and with scaling.

    Args:
        data: the table.
        fitted: the calibrated model.
        after: its outcome on the test rows; None without test rows.
    """
    record = fitted.card.calibration
    if record is None or after is None:
        return record
    temperatures = [fitted.blend_temperature, *(member.temperature for member in fitted.members)]
    is_scaled = any(np.any(np.asarray(temperature) != 1) for temperature in temperatures) or np.any(fitted.prior_share)
    before = data.outcome(fitted.uncalibrated(), "test") if is_scaled else after
    if not record.targets:
        return _with_changes(record, before, after)
    targets = {name: _of_part(own, before.parts[name], after.parts[name]) for name, own in record.targets.items()}
    return record.updated(targets=targets)


def _of_part(record: CalibrationRecord, before: Part, after: Part) -> CalibrationRecord:
    rows = np.flatnonzero(after.known)
    return _with_changes(record, before.outcome.take(rows), after.outcome.take(rows)) if len(rows) else record


def _with_changes(record: CalibrationRecord, before: Outcome, after: Outcome) -> CalibrationRecord:
    if record.fitted is None:
        return record
    changes = {name: [float(score(name, outcome)[0]) for outcome in (before, after)] for name in METRICS}
    return record.updated(test=changes)


def _times(task: Task, own: Temperature, found: Mapping[str, Calibration]) -> Temperature:
    """Multiply a temperature by those that were fitted, within the limits of a saved model."""
    targets = task.targets
    if not targets:
        assert isinstance(own, float | int), "one target has one temperature"
        return _limited(own * found[""].temperature)
    factors = [found[name].temperature if name in found else 1.0 for name in targets]
    return [_limited(before * factor) for before, factor in zip(_each(own, task), factors, strict=True)]


def _limited(temperature: float) -> float:
    return min(max(temperature, LOWEST_TEMPERATURE), HIGHEST_TEMPERATURE)


def _prior_shares(task: Task, found: Mapping[str, Calibration]) -> Temperature:
    """Return the share of the prior in the scores: a number, or one per target."""
    if not task.targets:
        return found[""].prior_share
    return [found[name].prior_share if name in found else 0.0 for name in task.targets]


def _each(temperature: Temperature, task: Task) -> Sequence[float]:
    """Return the temperature of each target."""
    return [temperature] * max(1, len(task.targets)) if isinstance(temperature, float | int) else temperature


def _record(task: Task, fitted: FittedModel, found: Mapping[str, Calibration]) -> CalibrationRecord:
    """Return the record of one target, or one with a record of each of several targets."""
    whole = fitted.temperature if _is_network(fitted) else fitted.blend_temperature
    members: Sequence[Member] = () if _is_network(fitted) else fitted.members
    names = task.targets or [""]
    of_whole = dict(zip(names, _each(whole, task), strict=True))
    of_members = {
        name: [_each(member.temperature, task)[place] for member in members] for place, name in enumerate(names)
    }
    records = {name: _record_of(own, of_whole[name], of_members[name]) for name, own in found.items()}
    return CalibrationRecord(targets=records) if task.targets else records[""]


def _record_of(found: Calibration, temperature: float, members: Sequence[float]) -> CalibrationRecord:
    changes = {"log_loss": list(found.log_loss), "ece": list(found.ece)}
    return CalibrationRecord.model_validate({
        "temperature": temperature,
        "members": list(members) or None,
        "reason": found.reason,
        "rows": found.rows,
        "groups": found.groups,
        "fitted": found.fitted,
        "gain": found.gain,
        "validation": changes if found.log_loss else None,
        "prior_share": found.prior_share or None,
    })  # fmt: skip
