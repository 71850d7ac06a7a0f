"""Pieces that the texts share."""

from __future__ import annotations

from rich.table import Table

from sensorium.evaluate import Difference


def make_table(*headers: str) -> Table:
    """An empty table without lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def signed(found: Difference | None) -> str:
    """A difference with its interval; nothing of none."""
    return f"{found.value:+.4f} ({found.interval[0]:+.4f} – {found.interval[1]:+.4f})" if found else ""
