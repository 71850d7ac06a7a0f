"""Content of a source, with findings about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sensorium.findings import Problem


@dataclass(frozen=True)
class Read:
    """Cells of a source, and findings about its columns.

    Attributes:
        arrow: the cells.
        problems: findings about a column (or the file, if `column` is empty), all with row None.
        separator: separator of cells in a text file; empty for other sources.
        checked: whether Arrow parsed the cells from text, so that their offsets need no check.
    """

    arrow: pa.Table
    problems: Sequence[Problem] = ()
    separator: str = ""
    checked: bool = False


def finding(reason: str, cure: str = "", column: str = "") -> Problem:
    """Return a finding about the whole file or a whole column."""
    return Problem(None, column, reason, cure)
