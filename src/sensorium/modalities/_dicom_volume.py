"""Selection and order of the DICOM frames that make up one volume."""

from __future__ import annotations

from dataclasses import dataclass

from sensorium.modalities._dicom_frames import Frame
from sensorium.modalities._dicom_geometry import is_tilted, spacing_of, usual_distance
from sensorium.modalities._dicom_parts import asides_of, largest_part, planes_of, series_of, sizes_of, stacks_of
from sensorium.modalities._dicom_places import places_of
from sensorium.modalities._dicom_times import Choice, one_volume
from sensorium.modalities._scans import Note

TILTED = ("the slices are shifted against each other (gantry tilt); they are not straightened",
          "resample the series to an upright grid")  # fmt: skip


@dataclass(frozen=True)
class Volume:
    """Frames of one volume in spatial order.

    Attributes:
        frames: one or more frames.
        spacing: mm between slices, rows, columns.
        notes: what was skipped or guessed.
        assumed: what is assumed of the spacing (see `Header`).
        choice: the selection among frames at the same positions.
    """

    frames: list[Frame]
    spacing: tuple[float, float, float]
    notes: tuple[Note, ...] = ()
    assumed: tuple[str, ...] = ()
    choice: Choice | None = None


def volume_of(frames: list[Frame]) -> Volume:
    """Select the largest series, its main size and plane and its first volume, ordered along the slice normal."""
    if len(frames) == 1 or _is_film(frames):
        spacing, assumed = spacing_of(frames, 0.0)
        return Volume(frames, spacing, assumed=assumed)
    notes = list[Note]()
    for part in (series_of, sizes_of, planes_of, stacks_of):
        kinds, kinds_are = part(frames)
        frames = largest_part(frames, kinds, kinds_are, notes)
    frames = largest_part(frames, *asides_of(frames), notes)
    places, known = places_of(frames, notes)
    choice = one_volume(frames, places)
    frames, places, known = [frames[row] for row in choice.rows], places[choice.rows], known[choice.rows]
    distance = usual_distance(known, places, notes)
    notes += [TILTED] if is_tilted(frames) else []
    spacing, assumed = spacing_of(frames, distance)
    return Volume(frames, spacing, (*notes, *choice.notes), assumed, choice)


def _is_film(frames: list[Frame]) -> bool:
    """Return whether a file declares no positions; its frames then keep the stored order, often that of time."""
    first = frames[0]
    said = first.groups or "SliceVector" in first.data or "GridFrameOffsetVector" in first.data
    return len(frames) == first.of and not said
