"""Line breaks inside cells of a CSV file, and the profile of what follows each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from sensorium.table._arrays import evenly_spaced
from sensorium.table._header import Head
from sensorium.table._header_doubts import GAPS, NUMBER
from sensorium.table._lines import count_in_column

PROFILE = 1000  # cells that say what a column holds
MOST = 0.9  # of them numbers
FEW = 30  # different words of a column whose words are known


@dataclass(frozen=True)
class Suspect:
    """Cell whose lines look like rows.

    Attributes:
        text: the cell.
        pieces: column → its cells in the lost rows.
        lines: number of line breaks, which is the number of lost rows.
    """

    text: str
    pieces: dict[int, list[str]]
    lines: int


@dataclass(frozen=True)
class Cells:
    """Rows read from a file, with columns by position.

    Attributes:
        arrow: text in every column.
        data: the file's bytes.
        head: its header.
    """

    arrow: pa.Table
    data: bytes
    head: Head

    @cached_property
    def breaks(self) -> dict[int, int]:
        """Return column → number of line breaks inside its cells, if any."""
        found = {place: count_in_column(column) for place, column in enumerate(self.arrow.columns)}
        return {place: number for place, number in found.items() if number}

    @cached_property
    def profiles(self) -> dict[int, frozenset[str] | None]:
        """Return column → its words, None for numbers; no entry for free text."""
        found: dict[int, frozenset[str] | None] = {}
        rows = evenly_spaced(len(self.arrow), PROFILE)
        for place, column in enumerate(self.arrow.columns):
            cells = [cell for cell in column.take(pa.array(rows)).to_pylist() if cell and not set(cell) & {"\n", "\r"}]
            values = [cell for cell in cells if cell.strip().lower() not in GAPS]
            if values and sum(bool(NUMBER.fullmatch(cell)) for cell in values) >= MOST * len(values):
                found[place] = None
            elif cells and len(set(cells)) <= min(FEW, len(cells) // 2):
                found[place] = frozenset(cells)
        return found
