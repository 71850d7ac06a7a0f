"""What a source gives where it has more to say than the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sensorium.findings import Problem


@dataclass(frozen=True)
class Read:
    """The cells of a file, and what in it could not be taken as it stands.

    Attributes:
        arrow: the cells.
        problems: of a column or, column "", of the file; all with row None.
        separator: what parts the cells of a text file; empty for other kinds.
        checked: Arrow made the cells from text itself, so that no offset in them can be wrong.
    """

    arrow: pa.Table
    problems: Sequence[Problem] = ()
    separator: str = ""
    checked: bool = False


def finding(reason: str, cure: str = "", column: str = "") -> Problem:
    """Something about the whole file, or a whole column of it."""
    return Problem(None, column, reason, cure)
