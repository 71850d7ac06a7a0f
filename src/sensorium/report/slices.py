"""Show metrics of slices of rows on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import RenderableType

from sensorium.evaluate import Slice, Slices, SliceSearch, WorseSlice
from sensorium.report._parts import interval, make_table, signed, text_line
from sensorium.wording import say, titles


def slices_text(found: Slices) -> list[RenderableType]:
    """Show the watched metric of each slice, and the slices that the search found."""
    named = [_named(column, slices, found.metric) for column, slices in found.columns.items()]
    rough = any(own.rough for slices in found.columns.values() for own in slices)
    lines = [text_line(say("line.rough_slices"))] if rough else []
    return [*named, *lines, *(_searched(found.search, found.metric) if found.search else [])]


def _named(column: str, slices: Sequence[Slice], metric: str) -> RenderableType:
    table = make_table(column, *titles("rows"), metric, *titles("interval", "change_from_others"))
    for own in slices:
        table.add_row(own.value[0], *_figures(own, metric))
    return table


def _figures(own: Slice, metric: str) -> list[str]:
    rows = say("part.rough", rows=own.n) if own.rough else f"{own.n:,}"
    value = own.metrics[metric]
    shown = f"{value:.4f}" if math.isfinite(value) else "–"
    return [rows, shown, interval(own.intervals[metric]), signed(own.difference)]


def _searched(found: SliceSearch, metric: str) -> list[RenderableType]:
    """Show the slices that the search found; if there is none, the one that is nearest to being worse."""
    figures = {"examined": found.examined, "least": found.least, "loss": found.loss}
    if not found.examined:
        return [text_line(say("line.no_slices", least=found.least))]
    if not found.found:
        lines: list[RenderableType] = [text_line(say("line.no_worse_slice", **figures))]
        return [*lines, text_line(_nearest(found.next))] if found.next else lines
    head = text_line(say("line.worse_slices", found=len(found.found), **figures))
    table = make_table(
        *titles("slice", "rows"), metric, *titles("interval"), found.loss, *titles("elsewhere", "p_corrected")
    )
    for worse in found.found:
        rows, value, bounds, _ = _figures(worse.slice, metric)
        table.add_row(
            worse.slice.name, rows, value, bounds, f"{worse.loss:.4g}", f"{worse.loss_elsewhere:.4g}", f"{worse.p:.3f}"
        )
    return [head, table]


def _nearest(worse: WorseSlice) -> str:
    return say(
        "line.nearest_slice",
        name=worse.slice.name,
        rows=worse.tested,
        value=worse.loss,
        elsewhere=worse.loss_elsewhere,
        p=worse.p,
    )
