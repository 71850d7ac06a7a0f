"""Report of the changes of a model by continued training or adaptation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table

from sensorium.errors import list_names
from sensorium.report._parts import make_table, rows_scored, text_line
from sensorium.report._wide import COLUMNS
from sensorium.wording import say, titles

if TYPE_CHECKING:
    from sensorium.model.card import MetricShift, PredictionShift, ShiftRecord

LABELS = 8  # shown
LEAST_DEVIATION = 0.1  # of a share: that of a share near 0 or 1 would be 0
Statistics: TypeAlias = Mapping[str, list[float] | float | None]


def shift_text(shift: ShiftRecord) -> RenderableType:
    """Show columns, weights, predictions and metrics before and after."""
    title = say("line.shift", table=shift.source)
    lines: list[RenderableType] = [text_line(title, "bold"), _columns(shift.columns)]
    if (more := len(shift.columns) - COLUMNS) > 0:
        lines.append(text_line(say("line.more_shifts", columns=more)))
    for kind, names in (("missing", shift.missing), ("unused", shift.unused), ("labels", shift.labels)):
        if names:
            lines.append(text_line(say(f"line.shift_{kind}", names=list_names(names))))
    shares = ", ".join(f"{name} {_percent(share)}" for name, share in shift.weights.items())
    lines.append(text_line(say("line.shift_weights", shares=shares)))
    if shift.answers:
        lines.append(text_line(_answers(shift.answers, shift.split or "all")))
    if shift.metrics:
        lines.append(text_line(_metrics(shift.metrics)))
        if trained := shift.metrics.trained:
            lines.append(text_line(say("line.shift_trained", trained=trained, rows=shift.metrics.after.n)))
    return Group(*lines)


def _columns(columns: Mapping[str, Statistics]) -> Table:
    table = make_table(*titles("column", "present", "shift", "deviation", "unknown", "length"))
    if len(columns) > COLUMNS:
        columns = dict(sorted(columns.items(), key=lambda each: -_change_of(each[1]))[:COLUMNS])
    for name, found in columns.items():
        shift = found.get("shift")
        table.add_row(
            name,
            _pair(found, "present", "{:.1%}"),
            say("part.deviations", value=shift) if isinstance(shift, float) else "",
            _pair(found, "deviation", "{:.3g}"),
            _pair(found, "unknown", "{:.1%}"),
            _pair(found, "length", "{:.1f}"),
        )
    return table


def _change_of(found: Statistics) -> float:
    """Return the largest change of a column: in old standard deviations, that of the length as a share of it."""
    shift, pairs = found.get("shift", 0.0), {name: pair for name, pair in found.items() if isinstance(pair, list)}
    changes = [abs(shift)] if isinstance(shift, float) else []
    if shift is None and len({*pairs.get("mean", [])}) > 1:  # all values were the same
        changes.append(math.inf)
    for old, new in (pairs[name] for name in ("present", "unknown") if name in pairs):
        changes.append(abs(new - old) / max(LEAST_DEVIATION, math.sqrt(max(0.0, old * (1 - old)))))
    for old, new in [pairs["length"]] if "length" in pairs else []:
        changes.append(abs(new - old) / max(old, 1.0))
    return max(changes, default=0.0)


def _pair(found: Statistics, key: str, form: str) -> str:
    values = found.get(key)
    return _change(values, form) if isinstance(values, list) else ""


def _change(values: list[float] | None, form: str) -> str:
    return " → ".join(form.format(value) for value in values or [])


def _percent(share: float | None) -> str:
    return say("part.undefined_share") if share is None else f"{share:.1%}"


def _answers(answers: PredictionShift, split: str) -> str:
    rows = rows_scored(answers.rows, split)
    if answers.labels is None:
        mean, deviation = (_change(pair, "{:.4g}") for pair in (answers.mean, answers.deviation))
        return say("line.shift_values", rows=rows, mean=mean, deviation=deviation)
    farthest = sorted(answers.labels.items(), key=lambda item: -abs(item[1][1] - item[1][0]))[:LABELS]
    shown = ", ".join(f"{label} {_change(pair, '{:.1%}')}" for label, pair in farthest)
    return say("line.shift_classes", rows=rows, changed=answers.changed or 0.0, labels=shown)


def _metrics(metrics: MetricShift) -> str:
    difference = metrics.difference
    name, (low, high) = difference.metric, difference.interval
    old, new = (found.metrics.get(name, math.nan) for found in (metrics.before, metrics.after))
    if not all(map(math.isfinite, (old, new, low, high))):
        return say("line.undefined", metric=name)
    if (difference.value, low, high) == (0, 0, 0):
        return say("line.shift_unchanged", metric=name, rows=metrics.after.n, after=new)
    is_worse = difference.value < 0
    low, high = (-high, -low) if is_worse else (low, high)
    change = say("part.worse" if is_worse else "part.better")
    figures = {"rows": metrics.after.n, "before": old, "after": new, "value": abs(difference.value)}
    return say("line.shift_metric", metric=name, change=change, **figures, low=low + 0.0, high=high + 0.0)
