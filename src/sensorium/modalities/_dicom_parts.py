"""Parts of DICOM frames that are no volume together: series, sizes, planes, stacks."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import count as counter

import numpy as np

from sensorium.findings import be, count
from sensorium.modalities._dicom_frames import Frame, Indexes
from sensorium.modalities._dicom_geometry import pixel_spacing
from sensorium.modalities._dicom_places import merge_positions, positions_along, tolerance_of
from sensorium.modalities._scans import Note
from sensorium.table import Floats

SAME_PLANE = 0.02  # difference of directions that rounding and movement of the patient cause
SAME_SPACING = 0.01  # difference of logarithms
MARKINGS = ("SEG", "RTDOSE", "PR", "KO")  # derived from images: used only if there is nothing else
SERIES = "another series"
APART = "if you need the skipped ones, save them in a folder of their own"


def series_of(frames: list[Frame]) -> tuple[list[Hashable], str]:
    def kind(frame: Frame) -> Hashable:
        data = frame.data
        picture = "colour" if (data.get("SamplesPerPixel") or 1) > 1 else frame.text("PhotometricInterpretation")
        overview = "LOCALIZER" in frame.text("ImageType")
        named = tuple(frame.text(keyword) for keyword in ("SeriesInstanceUID", "SeriesNumber"))
        return data.get("Modality") in MARKINGS, *named, frame.text("Modality"), picture, overview

    return [kind(frame) for frame in frames], SERIES


def sizes_of(frames: list[Frame]) -> tuple[list[Hashable], str]:
    spacings = np.array([frame.spacing() for frame in frames])
    with np.errstate(divide="ignore"):
        alike = _alike(np.log(np.where(spacings > 0, spacings, np.nan)), SAME_SPACING)
    sizes = [(frame.data.get("Rows"), frame.data.get("Columns")) for frame in frames]
    return [(*size, kind) for size, kind in zip(sizes, alike.tolist(), strict=True)], "another size or pixel spacing"


def planes_of(frames: list[Frame]) -> tuple[list[Hashable], str]:
    return [*_alike(np.array([frame.plane() for frame in frames]), SAME_PLANE).tolist()], "another orientation"


def stacks_of(frames: list[Frame]) -> tuple[list[Hashable], str]:
    """Return the stacks of an enhanced file; one stack if each frame has its own."""
    names: list[Hashable] = [frame.text("StackID") for frame in frames]
    return names if len(set(names)) < len(names) else [""] * len(names), "another stack"


def asides_of(frames: list[Frame]) -> tuple[list[Hashable], str]:
    """Return parts of a plane that are scanned side by side, such as two breasts; one if slices are only shifted."""
    along, path = positions_along(frames), np.array([frame.position() for frame in frames])
    if np.isnan(along).any():
        return [""] * len(frames), ""
    places = merge_positions(along, tolerance_of(frames))
    plane = next(plane for frame in frames if not np.isnan(plane := frame.plane()).any())
    parts = _alike(path @ plane.reshape(2, 3).T, max(pixel_spacing(frames)))
    covered = max(len(np.unique(places[parts == part])) for part in np.unique(parts))
    beside = len(np.unique(np.stack([places, parts]), axis=1).T) > len(np.unique(places))
    many = len(np.unique(places))
    are_apart = beside and 2 * covered > many
    return parts.tolist() if are_apart else [""] * len(frames), "a place beside the others in their plane"


def largest_part(frames: list[Frame], kinds: list[Hashable], kinds_are: str, notes: list[Note]) -> list[Frame]:
    groups: dict[Hashable, list[Frame]] = {}
    for frame, kind in zip(frames, kinds, strict=True):
        groups.setdefault(kind, []).append(frame)
    if len(groups) == 1:
        return frames

    def weight(kind: Hashable) -> tuple[bool, int]:
        return not (isinstance(kind, tuple) and kind[0] is True), len(groups[kind])

    largest = groups[max(groups, key=weight)]
    left = len(frames) - len(largest)
    verb = be(left)
    if kinds_are == SERIES:
        found = f"the largest of several series in the folder is used; {count(left, 'image')} of others {verb} skipped"
    else:
        used = "1 is used" if len(largest) == 1 else f"{len(largest):,} are used"
        found = f"{count(left, 'slice')} of {kinds_are} {verb} skipped; {used}"
    notes.append((found, APART))
    return largest


def _alike(values: Floats, tolerance: float) -> Indexes:
    """Label rows that are equal within a tolerance; unknown rows get the most frequent label."""
    labels, known = np.full(len(values), -1, np.intp), ~np.isnan(values).any(1)
    for label in counter():
        left = np.flatnonzero(known & (labels < 0))
        if not len(left):
            break
        labels[left[np.abs(values[left] - values[left[0]]).max(1) <= tolerance]] = label
    labels[~known] = np.bincount(labels[known]).argmax() if known.any() else 0
    return labels
