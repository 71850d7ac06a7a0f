"""Cells that hold several files: a list of paths (or of bytes), as a list cell, as text of a list, or with a
separator between the paths.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.config import setting_of
from sensorium.findings import Guess, Problem, count
from sensorium.modalities._base import Modality
from sensorium.modalities._files import sample_rows, shown_cell
from sensorium.modalities._suffixes import several_paths, suffix_of
from sensorium.table import Column, is_encoded_file, spelt_names

MANY = 200  # cells that are sampled
OPENS = ("[", "{", "(")


def looks_like_several(column: Column, one: type[Modality]) -> Guess | None:
    """Claim a column whose cells hold several files that another modality decodes."""
    if pa.types.is_primitive(column.data.type):  # numbers and dates
        return None
    some = column.take(sample_rows(column, MANY))
    if some.is_string and not any(
        cell.lstrip().startswith(OPENS) or several_paths(cell) for cell in set(some.sample(MANY))
    ):
        return None  # one file per cell
    flat, owners = flat_cells(some)
    found = one.looks_like(flat) if len(flat) else None
    if not found:
        return None
    mean = len(flat) / max(1, len(np.unique(owners)))
    return replace(found, reason=f"lists of files, {mean:.1f} per cell; {found.reason}")


def flat_cells(column: Column, most: int | None = None) -> tuple[Column, npt.NDArray[np.int64]]:
    """Return all files as one column, and the row of each."""
    cells = [(_listed(cell) or [])[:most] for cell in column.data.to_pylist()]
    parts = [part for cell in cells for part in cell]
    owners = np.repeat(np.arange(len(cells)), [len(cell) for cell in cells])
    try:
        return replace(column, data=pa.array(parts, None if parts else pa.string())), owners
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # not a list of files
        return replace(column, data=pa.array([], pa.string())), owners[:0]


def _listed(cell: Any) -> list[Any] | None:
    """Return the files of a list cell, of list text, of separated paths, or of a single path; else None."""
    if isinstance(cell, str):
        spelt = spelt_names(cell)
        if isinstance(spelt, list) or cell.lstrip()[:1] in OPENS:
            cell = spelt
        else:
            cell = several_paths(cell) or ([cell] if suffix_of(cell) or is_encoded_file(cell) else None)
    return [part for part in cell if part is not None] if isinstance(cell, list) else None


def usual_count(owners: npt.NDArray[np.int64], most: int) -> int:
    """Return the largest number of files in a cell, at most `most`."""
    return min(most, int(_counts(owners).max())) if len(owners) else most


def _counts(owners: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.unique(owners, return_counts=True)[1]


def fuller_cells(owners: npt.NDArray[np.int64], most: int) -> tuple[int, int]:
    """Return the number of cells with files, and of those with more files than are kept."""
    counts = _counts(owners)
    return len(counts), int((counts > most).sum())


def fuller_findings(column: str, noun: str, cells: tuple[int, int], most: int, *, option: str) -> list[Problem]:
    """Report cells that are cut."""
    every, fuller = cells
    if not fuller:
        return []
    reason = (
        f"{fuller:,} of {count(every, 'cell')} have more than {most} {noun}: only the first {most} of each are used"
    )
    return [Problem(None, column, reason, f"a larger {setting_of(column, option)} keeps more")]


def problems_of_cells(
    problems: list[Problem], owners: npt.NDArray[np.int64], column: Column, noun: str
) -> list[Problem]:
    """Report skipped files of cells that are present, and cells that are missing because they are not lists."""
    return [
        replace(p.at(owners), reason=p.reason.replace("read as missing", "skipped in its cell")) for p in problems
    ] + _no_lists(column, noun)


def _no_lists(column: Column, noun: str) -> list[Problem]:
    cure = 'a list, or text such as ["front.jpg", "back.jpg"] or front.jpg|back.jpg'
    return [
        Problem(row, column.name, f"the cell is not a list of {noun}: read as missing", cure, shown_cell(cell))
        for row, cell in enumerate(column.data.to_pylist())
        if cell is not None and _listed(cell) is None
    ]
