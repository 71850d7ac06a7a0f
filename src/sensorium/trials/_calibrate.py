"""Calibrate a trained model, a single network or an ensemble, on the validation rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sensorium.evaluate.calibration import Calibration, calibrate_targets
from sensorium.metrics import Outcome, Part, score
from sensorium.model import FittedModel, NetworkMember
from sensorium.model.card import CalibrationRecord
from sensorium.planning import PreparedTable

if TYPE_CHECKING:
    from sensorium.table import Rows
    from sensorium.tasks import Task, Temperature

METRICS = ("log_loss", "ece")


def calibrate_model(data: PreparedTable, fitted: FittedModel) -> FittedModel:
    """Return the model with calibrated probabilities, where that helps, and with the record of it.

    The networks of an ensemble are all scaled by one more temperature, because their average is less certain than each
    of them.
    """
    plan, networks = data.plan, [member for member in fitted.members if isinstance(member, NetworkMember)]
    if fitted.config.calibrate == "none" or len(networks) < len(fitted.members):
        return fitted
    rows = _calibration_rows(data, networks)
    if not len(rows):
        return fitted
    logits = [
        plan.task.scaled(member.logits(data.cells.only(member.columns), rows), member.temperature)
        for member in networks
    ]
    groups = None if plan.groups is None else plan.groups[rows]
    found = calibrate_targets(plan.task, logits, plan.target[rows], plan.config.seed, groups)
    if not found:
        return fitted
    first, *others = [replace(own, temperature=_times(plan.task, own.temperature, found)) for own in networks]
    card = fitted.card.updated(calibration=_record(plan.task, [first, *others], found))
    return replace(fitted, temperature=first.temperature, others=[*others], card=card)


def _calibration_rows(data: PreparedTable, networks: Sequence[NetworkMember]) -> Rows:
    """Return the rows that fit the temperature: the validation rows that have a value for every network.

    These rows also chose the epoch, so the model fits them slightly better than new rows.
    """
    rows = data.rows("validation")
    for member in networks:
        rows = data.filled(data.cells.only(member.columns), rows)
    return rows


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
    networks = [member for member in fitted.members if isinstance(member, NetworkMember)]
    is_scaled = any(np.any(np.asarray(member.temperature) != 1) for member in networks)
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
    """Multiply the temperature of a network by those that were fitted."""
    targets = task.targets
    if not targets:
        assert isinstance(own, float | int), "one target has one temperature"
        return own * found[""].temperature
    before = [own] * len(targets) if isinstance(own, float | int) else own
    factors = [found[name].temperature if name in found else 1.0 for name in targets]
    return [a * b for a, b in zip(before, factors, strict=True)]


def _record(task: Task, networks: Sequence[NetworkMember], found: Mapping[str, Calibration]) -> CalibrationRecord:
    """Return the record of one target, or one with a record of each of several targets."""
    if not task.targets:
        return _record_of(found[""], [member.temperature for member in networks])
    own = dict(zip(task.targets, zip(*(_each(member.temperature) for member in networks), strict=True), strict=True))
    return CalibrationRecord(targets={name: _record_of(found[name], own[name]) for name in found})


def _each(temperature: Temperature) -> Sequence[float]:
    assert not isinstance(temperature, float | int), "several targets have several temperatures"
    return temperature


def _record_of(found: Calibration, temperatures: Sequence[Temperature]) -> CalibrationRecord:
    changes = {"log_loss": list(found.log_loss), "ece": list(found.ece)}
    return CalibrationRecord.model_validate({
        "temperature": temperatures[0] if len(temperatures) == 1 else list(temperatures),
        "reason": found.reason,
        "rows": found.rows,
        "groups": found.groups,
        "fitted": found.fitted,
        "gain": found.gain,
        "validation": changes if found.log_loss else None,
    })  # fmt: skip
