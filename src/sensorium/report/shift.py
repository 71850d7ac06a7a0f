"""Report of the changes of a model by continued training or adaptation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table

from sensorium.report._parts import make_table, rows_scored, text_line

if TYPE_CHECKING:
    from sensorium.model.card import MetricShift, PredictionShift, ShiftRecord

LABELS = 8  # shown
Statistics: TypeAlias = Mapping[str, list[float] | float | None]


def shift_text(shift: ShiftRecord) -> RenderableType:
    """Show columns, weights, predictions and metrics before and after."""
    title = f"distribution shift since {shift.source}"
    lines: list[RenderableType] = [text_line(title, "bold"), _columns(shift.columns)]
    for names, words in (
        (shift.missing, "columns that the table lacks"),
        (shift.unused, "columns that the model does not know"),
        (shift.labels, "new labels"),
    ):
        if names:
            lines.append(text_line(f"{words}: {', '.join(names)}"))
    shares = ", ".join(f"{name} {_percent(share)}" for name, share in shift.weights.items())
    lines.append(text_line(f"weights changed by: {shares}"))
    if shift.answers:
        lines.append(text_line(_answers(shift.answers, shift.split or "all")))
    if shift.metrics:
        lines.append(text_line(_metrics(shift.metrics)))
    return Group(*lines)


def _columns(columns: Mapping[str, Statistics]) -> Table:
    table = make_table("column", "present", "shift of the mean", "standard deviation", "unknown", "length")
    for name, found in columns.items():
        shift = found.get("shift")
        table.add_row(
            name,
            _pair(found, "present", "{:.1%}"),
            f"{shift:+.2f} standard deviations" if isinstance(shift, float) else "",
            _pair(found, "deviation", "{:.3g}"),
            _pair(found, "unknown", "{:.1%}"),
            _pair(found, "length", "{:.1f}"),
        )
    return table


def _pair(found: Statistics, key: str, form: str) -> str:
    values = found.get(key)
    return _change(values, form) if isinstance(values, list) else ""


def _change(values: list[float] | None, form: str) -> str:
    return " → ".join(form.format(value) for value in values or [])


def _percent(share: float | None) -> str:
    return "undefined (all were zero)" if share is None else f"{share:.1%}"


def _answers(answers: PredictionShift, split: str) -> str:
    rows = f"predictions for {rows_scored(answers.rows, split)}"
    if answers.labels is None:
        mean, deviation = (_change(pair, "{:.4g}") for pair in (answers.mean, answers.deviation))
        return f"{rows}: mean {mean}, standard deviation {deviation}"
    farthest = sorted(answers.labels.items(), key=lambda item: -abs(item[1][1] - item[1][0]))[:LABELS]
    shown = ", ".join(f"{label} {_change(pair, '{:.1%}')}" for label, pair in farthest)
    return f"{rows}: {answers.changed or 0.0:.1%} changed; mean probability of {shown}"


def _metrics(metrics: MetricShift) -> str:
    difference = metrics.difference
    name, (low, high) = difference.metric, difference.interval
    old, new = (found.metrics.get(name, math.nan) for found in (metrics.before, metrics.after))
    if not all(map(math.isfinite, (old, new, low, high))):
        return f"{name} is not defined on these rows"
    figures = f"{name} on the same {metrics.after.n:,} rows: {old:.4f} → {new:.4f}"
    return f"{figures}; better by {difference.value:+.4f} (95% interval {low:+.4f} to {high:+.4f})"
