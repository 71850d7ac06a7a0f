"""Recognition of columns that hold files, and of their kind: by bytes, by suffixes, or by the start of the files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensorium.findings import Guess, NotFound, Outside, Unreadable
from sensorium.modalities._suffixes import path_name, several_paths, suffix_of
from sensorium.table import Column, FileCell, Files, bare_path, encoded_head, is_address, is_encoded_file, is_gap_word

HEAD = 352  # bytes by which a format is recognized: NIfTI has its signature in the last four
LOOKED_AT = 1000  # cells
MOSTLY, MAJORITY = 0.9, 0.5  # shares of the cells that are files of a kind
SOUGHT, LOOKED_INTO = 50, 10  # files whose existence is checked, and files that are opened
LONGEST = 1000  # characters of a path


@dataclass(frozen=True)
class _Paths:
    """Cells of a sample that are not bytes.

    Attributes:
        named: paths, data URLs and base64, without words for a missing cell.
        dotted: the different ones that may have a suffix.
        heads: the first bytes of the files in data URLs and in base64.
        form: what the cells with these files are called.
        cells: number of cells that are not missing.
        gaps: the note on words for a missing cell.
    """

    named: list[str]
    dotted: list[str]
    heads: list[bytes]
    form: str
    cells: int
    gaps: str

    def fitting(self, suffixes: tuple[str, ...]) -> list[str]:
        """Return the paths with one of the suffixes."""
        fits = {path for path in self.dotted if _ends_in(path, suffixes)}
        return [path for path in self.named if path in fits] if fits else []


def looks_like_files(
    column: Column, suffixes: tuple[str, ...], magic: Callable[[bytes], bool], noun: str
) -> Guess | None:
    """Claim a column whose cells are files of a kind."""
    if pa.types.is_primitive(column.data.type):  # numbers and dates
        return None
    if not column.is_string:
        heads = [_head(value) for value in column.sample(50)]
        if heads and all(head is not None and magic(head) for head in heads):
            return Guess(0.95, f"the cells are bytes of {noun} files")
    paths = column.once(_paths)
    fitting, held = paths.fitting(suffixes), sum(map(magic, paths.heads))
    if held >= MAJORITY * paths.cells and held + len(fitting) >= MOSTLY * paths.cells > 0:
        return Guess(0.95, f"the cells are {paths.form} of {noun} files{paths.gaps}")
    if not fitting:
        return _claim_by_content(column, paths, magic, noun)
    if len(fitting) + held < MOSTLY * paths.cells:
        return _claim_of_some(paths, fitting, noun)
    suffix = Path(path_name(fitting[0])).suffix
    caution = _not_there(column.files, fitting[:SOUGHT]) if column.is_string else ""
    return Guess(0.9 if caution else 0.99, f"values end in {suffix}, a suffix of {noun} files{paths.gaps}", caution)


def _paths(column: Column) -> _Paths:
    sample = column.sample(LOOKED_AT)
    found = sample if column.is_string else [path for path in map(_path, sample) if path is not None]
    words = {path for path in set(found) if is_gap_word(path)}
    gaps = [path for path in found if path in words]
    named = [path for path in found if path not in words] if words else found
    cells = min(LOOKED_AT, len(column.values)) - len(gaps)
    told = f"; {len(gaps)} of {len(found)} cells ({gaps[0]!r}) are read as missing" if gaps else ""
    dotted = [path for path in dict.fromkeys(named) if "." in path and not is_encoded_file(path)]
    heads = {path: head for path in named if (head := encoded_head(path, HEAD))}
    form = "data URLs" if any(":" in path[:LONGEST] for path in heads) else "base64"
    return _Paths(named, dotted, [heads[path] for path in named if path in heads], form, cells, told)


def _ends_in(path: str, suffixes: tuple[str, ...]) -> bool:
    if len(path) > LONGEST or not _any_of(suffixes).search(path.lower()):  # the fast way out for most texts
        return False
    return path_name(path).endswith(suffixes) and not several_paths(path)


@cache
def _any_of(suffixes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, suffixes)))


def _claim_of_some(paths: _Paths, fitting: list[str], noun: str) -> Guess | None:
    """Claim a column in which most cells are files of the kind, and the others are files of another kind."""
    others = sorted({suffix_of(path) for path in set(paths.named) - set(fitting)})
    if len(fitting) < MAJORITY * paths.cells or len(paths.named) < paths.cells or not all(others):
        return None
    reason = f"{len(fitting)} of {paths.cells} values end in suffixes of {noun} files{paths.gaps}"
    return Guess(0.92, reason, f"other files ({', '.join(others[:4])}) may be unreadable: convert them")


def _claim_by_content(column: Column, paths: _Paths, magic: Callable[[bytes], bool], noun: str) -> Guess | None:
    """Claim files whose names lack a suffix, as DICOM files often do.

    Remote files are not fetched for it.
    """
    if type(column.files) is not Files or not paths.named or len(paths.named) < paths.cells:
        return None
    for head in column.once(_heads):
        if head is None or not magic(head):
            return None
    return Guess(0.96, f"the files start like {noun} files{paths.gaps}")


def _heads(column: Column) -> list[bytes | None]:
    """Return the starts of some of the files, up to the first that cannot be opened."""
    named, heads = column.once(_paths).named, list[bytes | None]()
    for path in named[:: max(1, len(named) // LOOKED_INTO)][:LOOKED_INTO]:
        heads.append(_head_of_file(path, column.files))
        if heads[-1] is None:
            break
    return heads


def _head_of_file(path: str, files: Files) -> bytes | None:
    if is_encoded_file(path):
        return encoded_head(path, HEAD)
    if len(path) > LONGEST or is_address(path):
        return None
    try:
        with files.path(path).open("rb") as stream:
            return stream.read(HEAD)
    except (Unreadable, OSError):
        return None


def _not_there(files: Files, paths: list[str]) -> str:
    """Return how to fix paths of which some are not found."""
    faults = list[Unreadable]()
    for path in paths:
        try:
            files.path(path)
        except Unreadable as error:
            faults.append(error)
    if not faults:
        return ""
    if outside := [fault for fault in faults if isinstance(fault, Outside)]:
        place = "are URLs" if "address" in outside[0].reason else f"lie outside the table's folder {files.folder}"
        return f"{len(outside)} of {len(paths)} checked paths {place}: {outside[0].cure}"
    if not all(isinstance(fault, NotFound) for fault in faults):
        return f"{len(faults)} of {len(paths)} checked files cannot be opened: {faults[0].reason}"
    nearer = next(filter(None, (_shorter(path, files) for path in paths)), None)
    hint = f"; {nearer!r} exists: write the paths like that" if nearer else ""
    return f"{len(faults)} of {len(paths)} checked files were not found; paths are relative to {files.folder}{hint}"


def _shorter(path: str, files: Files) -> str | None:
    """Return the longest last part of a path (maybe of another machine) that exists in the folder."""
    parts = [part for part in re.split(r"[/\\]", bare_path(path)) if part not in ("", ".", "..")]
    if type(files) is Files:
        for start in range(1, len(parts)):
            end = "/".join(parts[start:])
            if (files.folder / end).is_file():
                return end
    return None


def _head(value: Any) -> bytes | None:
    if isinstance(value, dict):
        value = FileCell.of(value).content
    return value[:HEAD] if isinstance(value, bytes) else None


def _path(value: Any) -> str | None:
    """Return the path in a cell, unless the cell holds bytes."""
    if isinstance(value, dict):
        cell = FileCell.of(value)
        value = None if cell.content else cell.name
    return value if isinstance(value, str) else None
