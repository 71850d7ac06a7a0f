"""Selection of one volume among frames at the same positions (time points, echoes, b-values or copies)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensorium.findings import be, count
from sensorium.modalities._dicom_frames import UNKNOWN, Frame, Indexes
from sensorium.modalities._scans import Note, several_volumes
from sensorium.table import evenly_spaced

# Attributes that tell volumes at the same positions apart, the most reliable first; the lowest value comes first.
LISTED = ("TimeSliceVector", "TimeSlotVector", "PhaseVector", "RRIntervalVector", "EnergyWindowVector")
COUNTED = (
    "TemporalPositionIdentifier", "TemporalPositionIndex", "TemporalPositionTimeOffset", "FrameReferenceTime",
    "DiffusionBValue", "EchoTime", "EffectiveEchoTime", "EchoNumbers", "InversionTime", "InversionTimes", "FlipAngle",
    "KVP", "TriggerTime", "NominalCardiacTriggerDelayTime", "NominalPercentageOfCardiacPhase",
)  # fmt: skip
SURE = ("TemporalPositionIdentifier", "TemporalPositionIndex", "DiffusionBValue", "EchoTime", "EffectiveEchoTime")
NAMED = ("FrameType", "ImageType", "ComplexImageComponent", "SequenceName", "DiffusionDirectionality")
CLOCKS = ("AcquisitionNumber", "FrameAcquisitionNumber", "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime",
          "FrameAcquisitionDateTime", "FrameReferenceDateTime", "ContentDate", "ContentTime")  # fmt: skip
OTHERWISE = ("DimensionIndexValues",)
KEYS = (*LISTED, *COUNTED, *NAMED, *CLOCKS, *OTHERWISE)
COMPARED = 8  # positions at which two frames are compared if headers do not tell copies from volumes


@dataclass(frozen=True)
class Choice:
    """The frames of one volume.

    Attributes:
        rows: indices of frames, one per position, in the order of positions.
        notes: what was skipped.
        twins: pairs of frames at one position that may be copies, judging by their headers.
        if_copies: the note to use if all pairs are equal.
        if_volumes: the note to use otherwise.
    """

    rows: Indexes
    notes: tuple[Note, ...] = ()
    twins: tuple[tuple[Frame, Frame], ...] = ()
    if_copies: tuple[Note, ...] = ()
    if_volumes: tuple[Note, ...] = ()


def one_volume(frames: Sequence[Frame], place: Indexes) -> Choice:
    """Choose the first volume if most positions have several frames, else the first frame of each position.

    Args:
        frames: in any order.
        place: position of each frame, counted from 0.
    """
    held = np.bincount(place)
    if held.max() == 1:
        return Choice(np.argsort(place))
    volumes = int(np.median(held))
    left, copied = len(frames) - len(held), int(held.max())
    if volumes < 2:
        rows = np.arange(len(frames))
        varied = tuple(keyword for keyword in KEYS if _varies(place, _ranks(frames, rows, keyword)))
        return Choice(_first_of_each(frames, place, rows, varied), (_copies(left, copied),))
    rows, varied, first = _narrowed(frames, place)
    chosen = _first_of_each(frames, place, rows, varied)
    found = several_volumes(volumes, first=first)
    if varied:
        return Choice(chosen, (found,))
    return Choice(chosen, (), _twins(frames, place), (_copies(left, copied),), (found,))


def in_turns(frames: Sequence[Frame]) -> Indexes | None:
    """Return positions of frames that declare only which of several equal volumes they belong to."""
    turns = sorted(range(len(frames)), key=lambda row: frames[row].turn())
    for keyword in (*LISTED, *SURE):
        values = _values(frames, keyword)
        distinct, of, held = np.unique(values, return_inverse=True, return_counts=True)
        if len(distinct) > 1 and held.min() == held.max() > 1 and np.isfinite(values).all():
            place, seen = np.zeros(len(frames), np.intp), np.zeros(len(distinct), np.intp)
            for row in turns:
                place[row] = seen[of[row]]
                seen[of[row]] += 1
            return place
    return None


def _narrowed(frames: Sequence[Frame], place: Indexes) -> tuple[Indexes, tuple[str, ...], bool]:
    """Return rows of the first volume, the attributes that vary within a position, and whether it is the first of all.

    An attribute separates volumes if one of its values occurs at most positions. If it differs from slice to slice
    (such as a time), it only tells which frame of a position came first.
    """
    rows, varied, first = np.arange(len(frames)), list[str](), True
    for keyword in KEYS:
        if len(rows) == len(np.unique(place[rows])):
            break
        of = _ranks(frames, rows, keyword)
        if not _varies(place[rows], of):
            continue
        varied.append(keyword)
        covered = np.array([len(np.unique(place[rows[of == value]])) for value in range(of.max() + 1)])
        if 2 * covered.max() > len(np.unique(place[rows])):
            first = first and covered.argmax() == 0
            rows = rows[of == covered.argmax()]
    return rows, tuple(varied), first


def _varies(place: Indexes, of: Indexes) -> bool:
    """Return whether a position has several values."""
    return len(np.unique(np.stack([place, of]), axis=1).T) > len(np.unique(place))


def _ranks(frames: Sequence[Frame], rows: Indexes, keyword: str) -> Indexes:
    """Rank each row's value among the distinct ones: numbers by size, names by the first frame that has them."""
    if keyword not in (*NAMED, *OTHERWISE):
        return np.unique(_values([frames[row] for row in rows], keyword), return_inverse=True)[1]
    some, names = [frames[row] for row in rows], dict[Hashable, int]()
    for frame in sorted(some, key=Frame.turn):
        names.setdefault(frame.text(keyword), len(names))
    return np.array([names[frame.text(keyword)] for frame in some])


def _values(frames: Sequence[Frame], keyword: str) -> npt.NDArray[np.float64]:
    """Return an attribute per frame, infinity if unknown; times within a thousandth are equal."""
    if keyword in LISTED:
        found = np.array([frame.entry(keyword) for frame in frames])
        return np.where(np.isnan(found), UNKNOWN, found)
    return np.array([frame.number_of(keyword) for frame in frames]).round(3)


def _first_of_each(frames: Sequence[Frame], place: Indexes, rows: Indexes, varied: Sequence[str]) -> Indexes:
    """Return the first frame of each position, by the varying attributes and then by number."""
    ranked = [_ranks(frames, rows, keyword) for keyword in varied]
    some = [frames[row] for row in rows]
    order = sorted(range(len(rows)), key=lambda at: (*(of[at] for of in ranked), some[at].turn()))
    found = dict[int, int]()
    for at in order:
        found.setdefault(int(place[rows[at]]), int(rows[at]))
    return np.array([found[at] for at in sorted(found)], np.intp)


def _twins(frames: Sequence[Frame], place: Indexes) -> tuple[tuple[Frame, Frame], ...]:
    """Return the first two frames of some positions."""
    several = np.flatnonzero(np.bincount(place) > 1)
    some = several[evenly_spaced(len(several), COMPARED)]
    there = [[frames[row] for row in np.flatnonzero(place == at).tolist()] for at in some]
    pairs = [sorted(held, key=Frame.turn)[:2] for held in there]
    return tuple((pair[0], pair[1]) for pair in pairs)


def _copies(left: int, most: int) -> Note:
    often, verb = "twice" if most == 2 else "more than once", be(left)
    return f"{count(left, 'slice')} {verb} present {often}; only one of each is used", "remove the copies"
