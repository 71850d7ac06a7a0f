"""What eight-bit weights save and cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sensorium.evaluate import Evaluation


def quantized_text(sizes: Sequence[int], evaluations: Sequence[Evaluation]) -> RenderableType:
    """Bytes before and after; where rows were given, every metric before and after."""
    before, after = (size / 2**20 for size in sizes)
    line = Text(f"weights: {before:.1f} MB → {after:.1f} MB")
    if not evaluations:
        return line
    table = Table("metric", "as it was", "eight bits", box=None, header_style="bold")
    whole, small = evaluations
    for name, value in whole.metrics.items():
        table.add_row(name, f"{value:.4f}", f"{small.metrics[name]:.4f}")
    return Group(line, Text(f"{whole.n:,} {whole.rows}"), table)
