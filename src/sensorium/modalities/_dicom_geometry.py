"""Distances of slices, and whether they are tilted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensorium.modalities._dicom_frames import Frame, Indexes
from sensorium.modalities._scans import NO_DISTANCE, NO_SPACING, Note
from sensorium.table import Floats

GAP = 1.5  # multiple of the usual slice distance above which slices are missing
TILT = np.tan(np.radians(1.0))
GAPS = ("slices are missing; those around a gap are read as neighbours",
        "look for the missing slices")  # fmt: skip


def normal_of(plane: Floats) -> Floats:
    normal = np.cross(plane[:3], plane[3:])
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-6))


def usual_distance(along: Floats, places: Indexes, notes: list[Note]) -> float:
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


def is_tilted(frames: list[Frame]) -> bool:
    """Return whether each slice is shifted sideways: by at least one degree, and by a pixel in total."""
    plane = next((plane for frame in frames if not np.isnan(plane := frame.plane()).any()), None)
    path = frames[-1].position() - frames[0].position()
    if plane is None or np.isnan(path).any():
        return False
    along = float(path @ normal_of(plane))
    aside = float(np.linalg.norm(path - along * normal_of(plane)))
    return aside > TILT * abs(along) and aside > max(pixel_spacing(frames))


def pixel_spacing(frames: Sequence[Frame]) -> tuple[float, float]:
    """Return mm between rows and between columns; 1 if unknown."""
    down, across = frames[0].spacing()
    return down or 1.0, across or 1.0


def spacing_of(frames: Sequence[Frame], distance: float) -> tuple[tuple[float, float, float], tuple[str, ...]]:
    """Return mm between slices, rows and columns, and what is assumed where the file declares none.

    Args:
        frames: the frames of a volume.
        distance: of slices, by their positions; 0 if unknown.
    """
    distance = distance or frames[0].thickness()
    missing = {NO_DISTANCE: len(frames) > 1 and not distance, NO_SPACING: not all(frames[0].spacing())}
    assumed = tuple(text for text, lacks in missing.items() if lacks)
    return (distance or 1.0, *pixel_spacing(frames)), assumed
