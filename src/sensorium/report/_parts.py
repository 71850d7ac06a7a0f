"""Pieces that the texts share: the only ones through which data gets into them, so that it is never markup."""

from __future__ import annotations

from rich.console import RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from sensorium.errors.printable import one_line
from sensorium.evaluate import Difference


def text_line(text: object, style: str = "") -> Text:
    """One line as it stands: brackets are no markup, control characters are shown."""
    return Text(one_line(text), style)


class TextTable(Table):
    """A table whose cells are shown as they stand."""

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        """Text is taken as by `text_line`."""
        inert = [text_line(cell) if isinstance(cell, str) else cell for cell in cells]
        super().add_row(*inert, style=style, end_section=end_section)


def make_table(*headers: str) -> TextTable:
    """An empty table without lines."""
    table = TextTable(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(text_line(header), overflow="fold")
    return table


def signed(found: Difference | None) -> str:
    """A difference with its interval; nothing of none."""
    return f"{found.value:+.4f} ({found.interval[0]:+.4f} – {found.interval[1]:+.4f})" if found else ""
