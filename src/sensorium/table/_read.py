"""Content of a source, with findings about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sensorium.findings import Problem


@dataclass(frozen=True)
class Read:
    """Cells of a file, and findings about its columns.

    Attributes:
        arrow: the cells.
        problems: findings about a column or, with column "", the file; all with row None.
        separator: between the cells of a text file; empty for other kinds.
        checked: Arrow made the cells from text itself, so that no offset in them can be wrong.
    """

    arrow: pa.Table
    problems: Sequence[Problem] = ()
    separator: str = ""
    checked: bool = False


def finding(reason: str, cure: str = "", column: str = "") -> Problem:
    """Return a finding about the whole file, or a whole column of it."""
    return Problem(None, column, reason, cure)
