"""Show the coverage of prediction sets and intervals."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType

from sensorium.evaluate import CoverageRate, Coverages, TargetCoverage
from sensorium.report._parts import interval, make_table, text_line
from sensorium.wording import say, titles

SHOWN = 12  # subsets of the modalities, or classes


def coverage_text(found: Coverages) -> RenderableType:
    """Show the coverage of each target: of all rows, by the modalities that rows have, or by class."""
    return Group(*(line for name, own in found.targets.items() for line in _target(name, own, found)))


def _target(name: str, own: TargetCoverage, found: Coverages) -> Iterator[RenderableType]:
    key = "line.coverage_sets" if own.has_sets else "line.coverage_intervals"
    head = say(key, level=found.level, method=own.method)
    yield text_line(f"{name}: {head}" if name else head)
    rates = own.classes if found.per == "class" and own.has_sets else own.modalities if found.per != "all" else []
    parts = rates if len(rates) > 1 or found.per == "class" else []
    size = "set_size" if own.has_sets else "width"
    column = "class" if found.per == "class" else "modalities"
    table = make_table(*titles(column, "rows", "coverage", "interval", size, "calibration_rows"))
    table.add_row(say("part.all"), *_cells(own.every))
    for rate in parts[:SHOWN]:
        table.add_row(say("part.plus").join(rate.names) or say("part.no_value"), *_cells(rate))
    yield table
    if len(parts) > SHOWN:
        yield text_line(say("line.more_coverage", rows=len(parts) - SHOWN))
    if any(rate.fallback for rate in parts):
        yield text_line(say("line.coverage_fallback"))
    if own.single and own.single["answered"] > 0:
        yield text_line(say("line.coverage_single", **own.single))
    if own.every.empty:
        yield text_line(say("line.coverage_empty", share=own.every.empty, level=found.level))


def _cells(rate: CoverageRate) -> list[str]:
    return [
        f"{rate.rows:,}",
        f"{rate.coverage:.4f}",
        interval(rate.interval),
        f"{rate.size:.4g}",
        f"{rate.calibration_rows:,}{'*' if rate.fallback else ''}",
    ]
