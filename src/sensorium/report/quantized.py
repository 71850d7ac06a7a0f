"""Size and metrics of a model before and after quantization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from sensorium.report._parts import make_table, rows_scored, text_line
from sensorium.wording import say, titles

if TYPE_CHECKING:
    from sensorium.evaluate import Evaluation


def quantized_text(sizes: Sequence[int], evaluations: Sequence[Evaluation]) -> RenderableType:
    """Show the size before and after; if rows were given, also every metric."""
    before, after = (size / 1e6 for size in sizes)
    line = text_line(say("line.weights_size", before=before, after=after))
    if not evaluations:
        return line
    table = make_table(*titles("metric", "original", "int8"))
    whole, small = evaluations
    for name, value in whole.metrics.items():
        table.add_row(name, f"{value:.4f}", f"{small.metrics[name]:.4f}")
    return Group(line, text_line(rows_scored(whole.n, whole.rows.removesuffix(" rows"))), table)
