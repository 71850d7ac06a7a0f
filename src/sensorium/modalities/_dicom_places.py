"""Positions of DICOM frames along the normal of their slices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensorium.findings import count
from sensorium.modalities._dicom_frames import UNKNOWN, Frame, Indexes
from sensorium.modalities._dicom_geometry import normal_of
from sensorium.modalities._dicom_times import in_turns
from sensorium.modalities._scans import Note
from sensorium.table import Floats

SAME_PLACE = 0.05  # of the pixel spacing
UNNUMBERED = ("the slices have neither positions nor numbers; they are ordered by file name",
              "check that this is the right order")  # fmt: skip


def tolerance_of(frames: Sequence[Frame]) -> float:
    """Return the distance in mm below which two slices have the same position."""
    return SAME_PLACE * min(filter(None, (*frames[0].spacing(), frames[0].thickness() or 1.0)))


def places_of(frames: list[Frame], notes: list[Note]) -> tuple[Indexes, Floats]:
    """Return the position of each frame, counted from 0, and in mm along the normal; NaN if unknown."""
    along = positions_along(frames)
    known = ~np.isnan(along)
    if known.all():
        return merge_positions(along, tolerance_of(frames)), along
    unknown = np.full(len(frames), np.nan)
    for places in (np.array([frame.entry("SliceVector") for frame in frames]),
                   np.array([frame.number_of("InStackPositionNumber") for frame in frames])):  # fmt: skip
        if np.isfinite(places).all():
            return np.unique(places, return_inverse=True)[1], unknown
    numbers = [frame.turn()[:2] for frame in frames]
    files = len({frame.file for frame in frames})
    if files > 1 and (len(set(numbers)) < files or (UNKNOWN, UNKNOWN) in numbers):
        notes.append(UNNUMBERED)
    elif files > 1 or known.any():
        lost = int((~known).sum())
        verb = "has" if lost == 1 else "have"
        found = f"{lost:,} of {count(len(frames), 'slice')} {verb} no position; all are ordered by number"
        notes.append((found, "check for files that were altered"))
    if not known.any() and (turns := in_turns(frames)) is not None:
        return turns, unknown
    turns = np.empty(len(frames), np.intp)
    turns[sorted(range(len(frames)), key=lambda row: frames[row].turn())] = np.arange(len(frames))
    return turns, along


def positions_along(frames: Sequence[Frame]) -> Floats:
    planes = np.array([frame.plane() for frame in frames])
    known = planes[~np.isnan(planes).any(1)]
    if not len(known):
        return np.full(len(frames), np.nan)
    return np.array([frame.position() for frame in frames]) @ normal_of(known[0])


def merge_positions(along: Floats, tolerance: float) -> Indexes:
    """Number the positions from 0; those within a tolerance are one."""
    order = np.argsort(along, kind="stable")
    places, start, place = np.zeros(len(along), np.intp), along[order[0]], 0
    for row in order:
        if along[row] - start > tolerance:
            start, place = along[row], place + 1
        places[row] = place
    return places
