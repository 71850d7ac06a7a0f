"""Shared parts of reports. They show all data as plain text, never as markup."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.console import RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from sensorium.errors.printable import one_line
from sensorium.evaluate import FEW_GROUPS, Difference
from sensorium.findings import count
from sensorium.wording import say


def text_line(text: object, style: str = "") -> Text:
    """Make one line of plain text; control characters are escaped."""
    return Text(one_line(text), style)


class TextTable(Table):
    """Table that shows its cells as plain text."""

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        """Add a row; text is handled as by `text_line`."""
        inert = [text_line(cell) if isinstance(cell, str) else cell for cell in cells]
        super().add_row(*inert, style=style, end_section=end_section)


def make_table(*headers: str) -> TextTable:
    """Make an empty table without lines."""
    table = TextTable(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(text_line(header), overflow="fold")
    return table


def rows_scored(number: int, rows: str) -> str:
    """Format a number of rows with their split: `40 rows`, `9 test rows`; `rows` is such as "test" or "all"."""
    return count(number, "row" if rows == "all" else f"{rows} row")


def groups_line(groups: int | None) -> list[Text]:
    """Return a line with the number of groups that intervals resample; empty if they resample rows."""
    if groups is None:
        return []
    key = "one_group" if groups < 2 else "few_groups" if groups < FEW_GROUPS else "groups"
    return [text_line(say(f"line.{key}", groups=groups))]


def few_lines(few: Mapping[str, int]) -> list[Text]:
    """Return a line for all rows, or for rows or groups of each of several targets, that are too few for intervals.

    Few groups of all rows are named by `groups_line`.
    """
    lines = []
    for name, number in few.items():
        target, _, unit = name.rpartition(".")
        if target:
            key = "line.few_rows_of" if unit == "rows" else "line.few_groups_of"
            lines.append(text_line(say(key, number=number, target=target)))
        elif unit == "rows":
            lines.append(text_line(say("line.few_rows", rows=number)))
    return lines


def signed(found: Difference | None) -> str:
    """Format a difference with its interval; empty for None."""
    return f"{found.value:+.4f} ({interval(found.interval, '+.4f')})" if found else ""


def interval(bounds: tuple[float, float], form: str = ".4f") -> str:
    """Format an interval: `0.6309 to 0.7251`; a bound that is undefined is a dash."""
    low, high = (format(bound, form) if math.isfinite(bound) else "–" for bound in bounds)
    return say("part.interval", low=low, high=high)
