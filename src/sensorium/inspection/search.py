"""Search for duplicates: bytes of files, long texts, images, whole rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sensorium.findings import ColumnPlan, Unreadable
from sensorium.inspection.near import SIDE, near_pictures, near_texts
from sensorium.modalities import Modality, Work
from sensorium.registry import modalities
from sensorium.runtime.progress import Reporter
from sensorium.schema.copies import SENTENCE, Copies, Ids, Sides, group_copies, long_texts, value_ids
from sensorium.schema.repeated import are_of_interest
from sensorium.table import Column, FileCell, Table, encoded_content, evenly_spaced, is_encoded_file

MOST_DECODED = 200  # groups of equal files of which one is decoded
MOST_FILES, MOST_TEXTS, MOST_PICTURES = 200_000, 200_000, 20_000  # looked at in a column
LONG = 60  # … that are unlikely to be nearly equal by chance


def find_copies(
    table: Table, plans: Iterable[ColumnPlan], learnt: Mapping[str, Modality], sides: Sides, report: Reporter
) -> list[Copies]:
    """Find identical and near-identical cells of files and texts, and identical rows, in near-linear time.

    Args:
        table: the rows.
        plans: the plan of each column.
        learnt: column → its modality, which decodes files.
        sides: splits and labels of the rows.
        report: shows the progress.
    """
    used = [plan for plan in plans if plan.modality]
    ids, found = dict[str, Ids](), list[Copies]()
    with report.bar("looking for copies", len(table) * len(used), "cells") as bar:
        for plan in used:
            with report.phase(f"looking for copies in {plan.name!r}"):
                ids[plan.name], copies = _in_column(table.column(plan.name), learnt[plan.name], sides)
            found += copies
            bar.advance(len(table))
    whole = _rows(ids, table)
    if whole is not None:
        found.insert(0, group_copies(whole, sides, column="", kind="same", how="all columns used as features"))
    return [copies for copies in found if copies.groups or copies.left_out]


def _in_column(column: Column, kind: Modality, sides: Sides) -> tuple[Ids, list[Copies]]:
    """Return numbers that identify the column's cells, and the copies where repeated cells are unlikely by chance."""
    left_out = 0
    if kind.cacheable:
        left_out = max(0, int(column.present.sum()) - MOST_FILES)
        same, how = file_ids(column), "the same bytes"
        same = same if column.is_view else _decodable(column, kind, same)  # a video without sound is no damaged file
        # Unreadable cells are distinguished by their row.
        ids = np.where(same >= 0, same, np.where(column.present, np.arange(len(column)) + len(column), -1))
    elif kind.near_duplicates == "text":
        ids = value_ids(column)
        same, how = long_texts(column, ids), f"the same text of at least {SENTENCE} characters"
    else:
        return value_ids(column), []
    near = [_near(column, kind.near_duplicates, same, sides)] if kind.near_duplicates else []
    return ids, [group_copies(same, sides, column=column.name, kind="same", how=how, left_out=left_out), *near]


def _decodable(column: Column, kind: Modality, ids: Ids) -> Ids:
    """Return the numbers of the cells, -1 for files that cannot be decoded: damaged files are not duplicates.

    One file of each of the largest groups is decoded.
    """
    numbers, first, sizes = np.unique(ids, return_index=True, return_counts=True)
    several = np.flatnonzero((sizes > 1) & (numbers >= 0))
    several = several[np.argsort(-sizes[several], kind="stable")][:MOST_DECODED]
    if not len(several):
        return ids
    found = kind.encode(column.take(first[several]), Work())
    return np.where(np.isin(ids, numbers[several[~found.present]]), -1, ids)


def file_ids(column: Column) -> Ids:
    """Return equal numbers for files of equal bytes. Only files of the same size are read; folders are not compared."""
    cells = column.data.to_pylist()
    keys: list[Any] = [None] * len(cells)
    filled = np.flatnonzero(column.present)
    for row in filled[evenly_spaced(len(filled), MOST_FILES)]:
        keys[row] = _size(cells[row], column)
    sizes = dict[int, list[Any]]()
    for key in filter(None, keys):
        sizes.setdefault(key[0], []).append(key[1])
    several = {size for size, sources in sizes.items() if len(set(sources)) > 1}
    digests = dict[Any, Any]()
    for key in dict.fromkeys(key for key in keys if key):
        digests[key] = _digest(key[1]) if key[0] in several else key
    numbers = {digest: number for number, digest in enumerate(dict.fromkeys(digests.values()))}
    return np.array([-1 if key is None else numbers[digests[key]] for key in keys], np.int64)


def _size(cell: Any, column: Column) -> tuple[int, Any] | None:
    """Return the size and the place of a cell's bytes: itself, a path, or a part of a file; None if it has none."""
    if isinstance(cell, dict):
        held = FileCell.of(cell)
        if held.is_part:
            return _size_of_part(held, column)
        cell = held.source
    try:
        cell = encoded_content(cell) if isinstance(cell, str) and is_encoded_file(cell) else cell
        if isinstance(cell, bytes):
            return len(cell), cell
        path = os.fspath(column.files.path(cell)) if isinstance(cell, str) else None
        return None if path is None else (os.path.getsize(path), path)
    except (Unreadable, OSError):
        return None


def _size_of_part(cell: FileCell, column: Column) -> tuple[int, Any] | None:
    if cell.span is None:
        return None
    path, start, size = cell.span
    try:
        found = os.fspath(column.files.path(path))
        return (size, (found, start, size)) if start + size <= os.path.getsize(found) else None
    except (Unreadable, OSError):
        return None


def _digest(source: Any) -> bytes:
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    if isinstance(source, tuple):
        path, offset, size = source
        with open(path, "rb") as stream:  # noqa: PTH123 - as many as there are files
            stream.seek(offset)
            return hashlib.sha256(stream.read(size)).digest()
    try:
        with open(source, "rb") as stream:  # noqa: PTH123 - as many as there are files
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:  # reported, with its row, when the cell is decoded
        return os.fsencode(source)


def _near(column: Column, kind: str, same: Ids, sides: Sides) -> Copies:
    """Find near copies: one row stands for its exact copies, and groups of near copies include those."""
    picture = kind == "picture"
    same = same if picture else long_texts(column, same, LONG)
    numbers, first = np.unique(same, return_index=True)
    firsts = first[numbers >= 0]
    looked = firsts[evenly_spaced(len(firsts), MOST_PICTURES if picture else MOST_TEXTS)]
    kept, groups = (_pictures if picture else _texts)(column.take(looked))
    ids = np.full(len(numbers) + 1, -1, np.int64)  # the last for what is missing
    ids[np.searchsorted(numbers, same[looked[kept]])] = groups
    places = np.where(same >= 0, np.searchsorted(numbers, same), len(numbers))
    how = "thumbnails in grey correlate" if picture else "four fifths of their character sequences are the same"
    left_out = int(np.isin(same, same[np.setdiff1d(firsts, looked)]).sum())
    return group_copies(ids[places], sides, column=column.name, kind="near", how=how, same=same, left_out=left_out)


def _pictures(column: Column) -> tuple[Ids, Ids]:
    """Return the places of the cells that can be decoded, and their groups."""
    learnt = modalities.load("image").learn(column, size=SIDE, channels=1)
    encoded = learnt.encode(column, Work())
    return np.flatnonzero(encoded.present), near_pictures(encoded.values[encoded.present, :, :, 0])


def _texts(column: Column) -> tuple[Ids, Ids]:
    return np.arange(len(column)), near_texts(column.strings.to_pylist())


def _rows(ids: Mapping[str, Ids], table: Table) -> Ids | None:
    """Return equal numbers for equal rows; None if equal rows are of no interest."""
    if not ids or not len(table):
        return None
    merged = np.zeros(len(table), np.int64)
    for numbers in ids.values():
        merged = np.unique(merged * (numbers.max() + 2) + numbers + 1, return_inverse=True)[1]
    merged[np.all([numbers < 0 for numbers in ids.values()], axis=0)] = -1
    return merged if are_of_interest(np.unique(merged, return_counts=True)[1], ids.values()) else None
