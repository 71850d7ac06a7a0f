"""Selection and order of the DICOM frames that make up one volume."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import count as counter
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.findings import count
from sensorium.modalities._dicom_frames import UNKNOWN, Frame
from sensorium.modalities._dicom_times import Choice, in_turns, one_volume
from sensorium.modalities._scans import Note

Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.intp]

GAP = 1.5  # multiple of the usual slice distance above which slices are missing
SAME_PLANE = 0.02  # difference of directions that rounding and movement of the patient cause
SAME_SPACING = 0.01  # difference of logarithms
SAME_PLACE = 0.05  # of the pixel spacing
TILT = np.tan(np.radians(1.0))
MARKINGS = ("SEG", "RTDOSE", "PR", "KO")  # derived from images: used only if there is nothing else
SERIES = "another series"
APART = "save it in its own folder if that is the one you need"
GAPS = ("slices are missing; those around a gap are read as neighbours",
        "look for the missing slices")  # fmt: skip
TILTED = ("the slices are shifted against each other (gantry tilt); they are not straightened",
          "resample the series to an upright grid")  # fmt: skip
UNNUMBERED = ("the slices have neither positions nor numbers; they are ordered by file name",
              "check that this is the right order")  # fmt: skip


@dataclass(frozen=True)
class Volume:
    """Frames of one volume in spatial order.

    Attributes:
        frames: one or more frames.
        spacing: mm between slices, rows, columns.
        notes: what was skipped or guessed.
        choice: the selection among frames at the same positions.
    """

    frames: list[Frame]
    spacing: tuple[float, float, float]
    notes: tuple[Note, ...] = ()
    choice: Choice | None = None


def volume_of(frames: list[Frame]) -> Volume:
    """Select the largest series, its main size and plane and its first volume, ordered along the slice normal."""
    if len(frames) == 1 or _is_film(frames):
        return Volume(frames, (frames[0].thickness(), *_spacing(frames)))
    notes = list[Note]()
    for part in (_series, _sizes, _planes, _stacks):
        kinds, kinds_are = part(frames)
        frames = _largest(frames, kinds, kinds_are, notes)
    frames = _largest(frames, *_asides(frames), notes)
    places, known = _places(frames, notes)
    choice = one_volume(frames, places)
    frames, places, known = [frames[row] for row in choice.rows], places[choice.rows], known[choice.rows]
    distance = _distance(known, places, notes)
    notes += [TILTED] if _is_tilted(frames) else []
    spacing = (distance or frames[0].thickness(), *_spacing(frames))
    return Volume(frames, spacing, (*notes, *choice.notes), choice)


def _is_film(frames: list[Frame]) -> bool:
    """Return whether a file declares no positions; its frames then keep the stored order, often that of time."""
    first = frames[0]
    said = first.groups or "SliceVector" in first.data or "GridFrameOffsetVector" in first.data
    return len(frames) == first.of and not said


def _series(frames: list[Frame]) -> tuple[list[Hashable], str]:
    def kind(frame: Frame) -> Hashable:
        data = frame.data
        picture = "colour" if (data.get("SamplesPerPixel") or 1) > 1 else frame.text("PhotometricInterpretation")
        overview = "LOCALIZER" in frame.text("ImageType")
        named = tuple(frame.text(keyword) for keyword in ("SeriesInstanceUID", "SeriesNumber"))
        return data.get("Modality") in MARKINGS, *named, frame.text("Modality"), picture, overview

    return [kind(frame) for frame in frames], SERIES


def _sizes(frames: list[Frame]) -> tuple[list[Hashable], str]:
    spacings = np.array([frame.spacing() for frame in frames])
    with np.errstate(divide="ignore"):
        alike = _alike(np.log(np.where(spacings > 0, spacings, np.nan)), SAME_SPACING)
    sizes = [(frame.data.get("Rows"), frame.data.get("Columns")) for frame in frames]
    return [(*size, kind) for size, kind in zip(sizes, alike.tolist(), strict=True)], "another size or pixel spacing"


def _planes(frames: list[Frame]) -> tuple[list[Hashable], str]:
    return [*_alike(np.array([frame.plane() for frame in frames]), SAME_PLANE).tolist()], "another orientation"


def _stacks(frames: list[Frame]) -> tuple[list[Hashable], str]:
    """Return the stacks of an enhanced file; one stack if each frame has its own."""
    names: list[Hashable] = [frame.text("StackID") for frame in frames]
    return names if len(set(names)) < len(names) else [""] * len(names), "another stack"


def _asides(frames: list[Frame]) -> tuple[list[Hashable], str]:
    """Return parts of a plane that are scanned side by side, such as two breasts; one if slices are only shifted."""
    along, path = _along(frames), np.array([frame.position() for frame in frames])
    if np.isnan(along).any():
        return [""] * len(frames), ""
    places = _merged(along, _tolerance(frames))
    plane = next(plane for frame in frames if not np.isnan(plane := frame.plane()).any())
    parts = _alike(path @ plane.reshape(2, 3).T, max(_spacing(frames)))
    covered = max(len(np.unique(places[parts == part])) for part in np.unique(parts))
    beside = len(np.unique(np.stack([places, parts]), axis=1).T) > len(np.unique(places))
    many = len(np.unique(places))
    return parts.tolist() if beside and 2 * covered > many else [""] * len(frames), "another part of the plane"


def _tolerance(frames: Sequence[Frame]) -> float:
    """Return the distance in mm below which two slices have the same position."""
    return SAME_PLACE * min(filter(None, (*_spacing(frames, 0.0), frames[0].thickness())))


def _largest(frames: list[Frame], kinds: list[Hashable], kinds_are: str, notes: list[Note]) -> list[Frame]:
    groups: dict[Hashable, list[Frame]] = {}
    for frame, kind in zip(frames, kinds, strict=True):
        groups.setdefault(kind, []).append(frame)
    if len(groups) == 1:
        return frames

    def weight(kind: Hashable) -> tuple[bool, int]:
        return not (isinstance(kind, tuple) and kind[0] is True), len(groups[kind])

    largest = groups[max(groups, key=weight)]
    left = len(frames) - len(largest)
    verb = "is" if left == 1 else "are"
    if kinds_are == SERIES:
        found = f"the largest of several series in the folder is used; {count(left, 'image')} of others {verb} skipped"
    else:
        used = "1 is used" if len(largest) == 1 else f"{len(largest):,} are used"
        found = f"{count(left, 'slice')} of {kinds_are} {verb} skipped; {used}"
    notes.append((found, APART))
    return largest


def _alike(values: Floats, tolerance: float) -> Rows:
    """Label rows that are equal within a tolerance; unknown rows get the most frequent label."""
    labels, known = np.full(len(values), -1, np.intp), ~np.isnan(values).any(1)
    for label in counter():
        left = np.flatnonzero(known & (labels < 0))
        if not len(left):
            break
        labels[left[np.abs(values[left] - values[left[0]]).max(1) <= tolerance]] = label
    labels[~known] = np.bincount(labels[known]).argmax() if known.any() else 0
    return labels


def _places(frames: list[Frame], notes: list[Note]) -> tuple[Rows, Floats]:
    """Return the position of each frame, counted from 0, and in mm along the normal; NaN if unknown."""
    along = _along(frames)
    known = ~np.isnan(along)
    if known.all():
        return _merged(along, _tolerance(frames)), along
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


def _along(frames: Sequence[Frame]) -> Floats:
    planes = np.array([frame.plane() for frame in frames])
    known = planes[~np.isnan(planes).any(1)]
    if not len(known):
        return np.full(len(frames), np.nan)
    return np.array([frame.position() for frame in frames]) @ _normal(known[0])


def _normal(plane: Floats) -> Floats:
    normal = np.cross(plane[:3], plane[3:])
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-6))


def _merged(along: Floats, tolerance: float) -> Rows:
    """Number the positions from 0; those within a tolerance are one."""
    order = np.argsort(along, kind="stable")
    places, start, place = np.zeros(len(along), np.intp), along[order[0]], 0
    for row in order:
        if along[row] - start > tolerance:
            start, place = along[row], place + 1
        places[row] = place
    return places


def _distance(along: Floats, places: Rows, notes: list[Note]) -> float:
    """Return the usual distance of consecutive slices; 0 if unknown."""
    known = np.flatnonzero(~np.isnan(along))
    if len(known) < 2:
        return 0.0
    steps = np.abs(np.diff(along[known]))
    if len(known) < len(along):  # ordered by number: slices between may have no position
        return float(np.median(steps / np.diff(places[known])))
    # The lower quartile is the usual distance even if many slices are missing.
    usual = steps <= GAP * np.quantile(steps, 0.25, method="lower")
    notes += [] if usual.all() else [GAPS]
    return float(np.median(steps[usual]))


def _is_tilted(frames: list[Frame]) -> bool:
    """Return whether each slice is shifted sideways: by at least one degree, and by a pixel in total."""
    plane = next((plane for frame in frames if not np.isnan(plane := frame.plane()).any()), None)
    path = frames[-1].position() - frames[0].position()
    if plane is None or np.isnan(path).any():
        return False
    along = float(path @ _normal(plane))
    aside = float(np.linalg.norm(path - along * _normal(plane)))
    return aside > TILT * abs(along) and aside > max(_spacing(frames))


def _spacing(frames: Sequence[Frame], unknown: float = 1.0) -> tuple[float, float]:
    down, across = frames[0].spacing()
    return down or unknown, across or unknown
