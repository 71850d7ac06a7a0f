"""Lists that a text spells, as tables of text hold them: `[1.0, 2.5, null, 3]`."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.problems import Unreadable

OPENS = r"^\s*\["
PYTHON = re.compile(r"\b(?:None|nan)\b")  # how a list is spelt by Python's own `str`


def spells_lists(cells: pa.Array) -> npt.NDArray[Any]:
    """bool[n]: which cells of a text column begin like a list."""
    return pc.match_substring_regex(cells, OPENS).fill_null(False).to_numpy(zero_copy_only=False)


def spelt_list(text: str) -> list[Any]:
    """The list that JSON text spells; Python's `None` and `nan` are read as null.

    Raises:
        Unreadable: it spells none.
    """
    for spelling in (text, PYTHON.sub("null", text)):
        try:
            found = json.loads(spelling)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, list):
            return found
    raise Unreadable("text that spells no list", "write it as JSON: [1.0, 2.5, null, 3]")
