"""What moved when a model went on in another domain, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from sensorium.report._parts import make_table, text_line

LABELS = 8  # shown


def moved_text(moved: Mapping[str, Any]) -> RenderableType:
    """Columns, weights, answers and metrics: before → after."""
    lines: list[RenderableType] = [text_line(f"what moved since {moved['from']}", "bold"), _columns(moved["columns"])]
    for key, words in (("missing", "columns that the table lacks"), ("unused", "columns that the model does not know")):
        if moved[key]:
            lines.append(text_line(f"{words}: {', '.join(moved[key])}"))
    if moved["labels"]:
        lines.append(text_line(f"new labels: {', '.join(moved['labels'])}"))
    shares = ", ".join(f"{name} {_percent(share)}" for name, share in moved["weights"].items())
    lines.append(text_line(f"weights moved by: {shares}"))
    if "answers" in moved:
        lines.append(text_line(_answers(moved["answers"], moved["split"])))
    if "metrics" in moved:
        lines.append(text_line(_metrics(moved["metrics"])))
    return Group(*lines)


def _columns(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    table = make_table("column", "present", "mean moved by", "deviation", "unknown", "length")
    for name, found in columns.items():
        shift = found.get("shift")
        table.add_row(
            name,
            _pair(found, "present", "{:.1%}"),
            "" if shift is None else f"{shift:+.2f} deviations",
            _pair(found, "deviation", "{:.3g}"),
            _pair(found, "unknown", "{:.1%}"),
            _pair(found, "length", "{:.1f}"),
        )
    return table


def _pair(found: Mapping[str, Any], key: str, form: str) -> str:
    return " → ".join(form.format(value) for value in found[key]) if key in found else ""


def _percent(share: float | None) -> str:
    return "from nothing" if share is None else f"{share:.1%}"


def _answers(answers: Mapping[str, Any], split: str) -> str:
    rows = f"{answers['rows']:,} {split} rows"
    if "labels" not in answers:
        mean, deviation = (_pair(answers, key, "{:.4g}") for key in ("mean", "deviation"))
        return f"answers of {rows}: mean {mean}, deviation {deviation}"
    farthest = sorted(answers["labels"].items(), key=lambda item: -abs(item[1][1] - item[1][0]))[:LABELS]
    shown = ", ".join(f"{label} {old:.1%} → {new:.1%}" for label, (old, new) in farthest)
    return f"answers of {rows}: {answers['changed']:.1%} are others; mean probability of {shown}"


def _metrics(metrics: Mapping[str, Any]) -> str:
    difference = metrics["difference"]
    name, (low, high) = difference["metric"], difference["interval"]
    old, new = (metrics[when]["metrics"].get(name) for when in ("before", "after"))
    if None in (old, new, low, high):
        return f"{name} is not defined on these rows"
    figures = f"{name} of the same {metrics['after']['n']:,} rows: {old:.4f} → {new:.4f}"
    return f"{figures}; better by {difference['value']:+.4f}, 95% interval {low:+.4f} to {high:+.4f}"
