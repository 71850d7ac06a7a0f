"""Frames of DICOM files: position, orientation, time and scale of each frame.

In a single-frame file these are attributes of the file; in an enhanced file they are in functional groups, per frame or
shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable
from sensorium.modalities._dicom_header import MOST, header_of
from sensorium.modalities._scans import library

Indexes: TypeAlias = npt.NDArray[np.intp]  # of frames
UNKNOWN = float("inf")  # a number that is absent: sorted last


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a file.

    Attributes:
        data: the header of its file.
        file: index of the file among those of the scan.
        number: index of the frame in the file.
        of: number of frames in the file.
        groups: data sets by the tags in them; those of the frame first, then the shared ones.
    """

    data: Any = field(repr=False)
    file: int
    number: int
    of: int
    groups: tuple[Mapping[int, Any], ...] = field(repr=False, default=())

    def get(self, keyword: str) -> Any:
        """Return an attribute of the frame, of all frames or of the file, in this order; None if absent."""
        tag = library("pydicom.datadict").tag_for_keyword(keyword)
        for group in self.groups:
            if tag in group and (value := group[tag].get(keyword)) is not None:
                return value
        return self.data.get(keyword)

    def number_of(self, keyword: str) -> float:
        """Return an attribute as a number, the first of several; infinity if it is absent or not a number."""
        try:
            found = float(first(self.get(keyword)))
        except (TypeError, ValueError, OverflowError, AttributeError):
            return UNKNOWN
        return found if np.isfinite(found) else UNKNOWN

    def numbers(self, keyword: str, width: int) -> npt.NDArray[np.float64]:
        """Return an attribute of `width` numbers; NaN if it is absent or malformed."""
        try:
            found = np.array([float(part) for part in self.get(keyword)])
        except (TypeError, ValueError, OverflowError, AttributeError):
            found = np.zeros(0)
        return found if found.shape == (width,) and np.isfinite(found).all() else np.full(width, np.nan)

    def text(self, keyword: str) -> str:
        """Return an attribute for comparisons only; it may identify a patient and must not be shown."""
        value = self.get(keyword)
        return "" if value is None else str(value)

    def entry(self, keyword: str) -> float:
        """Return this frame's entry in an attribute with one number per frame; NaN if absent."""
        return self._entry(keyword, self.number)

    def plane(self) -> npt.NDArray[np.float64]:
        """Return float64[6]: directions of rows and columns; NaN if unknown."""
        axes = self.numbers("ImageOrientationPatient", 6).reshape(2, 3)
        lengths = np.linalg.norm(axes, axis=1, keepdims=True)
        return axes.ravel() if np.allclose(lengths, 1, atol=0.05) else np.full(6, np.nan)

    def position(self) -> npt.NDArray[np.float64]:
        """Return float64[3]: the position in mm; NaN if unknown.

        The position among the attributes of a multi-frame file is that of its first frame only.
        """
        if self.of == 1 or self._in_groups("ImagePositionPatient"):
            return self.numbers("ImagePositionPatient", 3)
        # Radiotherapy doses give offsets in mm along the normal from the first frame.
        offset = self._entry("GridFrameOffsetVector", self.number) - self._entry("GridFrameOffsetVector", 0)
        if np.isnan(offset):
            return np.full(3, np.nan)
        axes = self.plane()
        return self.numbers("ImagePositionPatient", 3) + offset * np.cross(axes[:3], axes[3:])

    def spacing(self) -> tuple[float, float]:
        """Return mm between rows and between columns; 0 if unknown."""
        for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
            down, across = (positive(part) for part in self.numbers(keyword, 2))
            if down or across:
                return down, across
        return 0.0, 0.0

    def thickness(self) -> float:
        """Return the declared distance of slices in mm, used if positions are unknown; 0 if absent."""
        # Some gamma cameras write the distance as a negative number.
        distance = abs(self.number_of("SpacingBetweenSlices"))
        return positive(distance) or positive(self.number_of("SliceThickness"))

    def turn(self) -> tuple[float, float, int, int]:
        """Return the sort key used if positions are unknown: number, part of a divided image, file, frame."""
        return (self.number_of("InstanceNumber"), self.number_of("InConcatenationNumber"), self.file, self.number)

    def _entry(self, keyword: str, number: int) -> float:
        listed = self.data.get(keyword)
        try:
            return float(listed[number]) if listed is not None and len(listed) == self.of else np.nan
        except (TypeError, ValueError):
            return np.nan

    def _in_groups(self, keyword: str) -> bool:
        tag = library("pydicom.datadict").tag_for_keyword(keyword)
        return any(tag in group for group in self.groups)


def frames_of(data: Any, file: int = 0) -> list[Frame]:
    """Return the frames of a file, by its header.

    Raises:
        Unreadable: the file contains no image, or too many frames.
    """
    many = header_of(data).shape[0]
    if many < 1:
        raise Unreadable("the scan has no voxels")
    if many > MOST:
        raise Unreadable(f"the scan has {many:,} frames, over the limit of {MOST:,}")
    shared = [by_tag(group) for group in list(data.get("SharedFunctionalGroupsSequence") or [])[:1]]
    each = data.get("PerFrameFunctionalGroupsSequence") or []
    own = [[by_tag(each[number])] if number < len(each) else [] for number in range(many)]
    return [Frame(data, file, number, many, (*own[number], *shared)) for number in range(many)]


def by_tag(group: Any) -> dict[int, Any]:
    """Return tag → the data set that contains it, over all data sets of a functional group."""
    found: dict[int, Any] = {}
    for element in group:
        if element.VR == "SQ" and len(element.value):
            for tag in element.value[0].keys():  # noqa: SIM118 - a data set iterates over its elements
                found.setdefault(int(tag), element.value[0])
    return found


def first(value: Any) -> Any:
    """Return the first of several values."""
    return next(iter(value), None) if isinstance(value, Iterable) and not isinstance(value, str) else value


def positive(value: float) -> float:
    """Return a finite number above 0 as it is, else 0."""
    return float(value) if np.isfinite(value) and value > 0 else 0.0


def file_as_frame(data: Any) -> Frame:
    """Return a file's first frame, or a file without an image as a frame, to read attributes."""
    groups = [
        by_tag(group)
        for keyword in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
        for group in list(data.get(keyword) or [])[:1]
    ]
    return Frame(data, 0, 0, 1, tuple(groups))
