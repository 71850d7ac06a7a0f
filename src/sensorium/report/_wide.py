"""Select what a report shows of a wide table; the JSON output has everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich.text import Text

from sensorium.report._parts import text_line
from sensorium.wording import say

if TYPE_CHECKING:
    from sensorium.inspection import ColumnReport

COLUMNS = 50  # of a table, shown on a terminal
LINES = 30  # of one kind
T = TypeVar("T")


def shown_columns(columns: Sequence[ColumnReport], most: int = COLUMNS) -> list[tuple[int, ColumnReport]]:
    """Return at most `most` columns with their places, in the table's order.

    Up to half of them are columns that need attention: they have a caution, unreadable cells, or are left out.
    """
    needy = [place for place, column in enumerate(columns) if _needs_attention(column)][: most // 2]
    places = dict.fromkeys([*needy, *range(min(most, len(columns)))])
    chosen = sorted(list(places)[:most])
    return [(place, columns[place]) for place in chosen]


def kinds_of(modalities: Iterable[str | None]) -> str:
    """Count modalities, such as `4,940 number, 10 left out`."""
    counts = Counter(modality or say("part.left_out") for modality in modalities)
    return ", ".join(say("part.kind", columns=count, modality=name) for name, count in counts.most_common())


def more_columns(modalities: Sequence[str | None]) -> list[Text]:
    """Return a line about the columns that are not shown; nothing if there are none."""
    if not modalities:
        return []
    return [text_line(say("line.more_columns", columns=len(modalities), kinds=kinds_of(modalities)))]


def first_lines(lines: Sequence[Text], most: int = LINES) -> list[Text]:
    """Return the first lines, and a line that counts the others."""
    more = len(lines) - most
    return (
        [*lines] if more <= 0 else [*lines[:most], text_line(say("line.more_lines", lines=more), str(lines[0].style))]
    )


def _needs_attention(column: ColumnReport) -> bool:
    return bool(column.caution or column.unreadable or column.undecodable or column.modality is None)
