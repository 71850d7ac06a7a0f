"""Frames of DICOM files: what a header says of place, plane, time and scale, for each frame by itself.

A file of one frame says it among its own attributes, an enhanced file in functional groups: for each frame, or for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable
from sensorium.modalities._scans import Header, library

MOST = 100_000  # frames of a scan
UNKNOWN = float("inf")  # a number that is not given: sorted last


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a file.

    Attributes:
        data: the header of its file.
        file: the file's place among those of the scan.
        number: the frame's place in the file.
        of: how many frames the file has.
        groups: data sets by the tags in them; the frame's own first, then those that all frames share.
    """

    data: Any = field(repr=False)
    file: int
    number: int
    of: int
    groups: tuple[Mapping[int, Any], ...] = field(repr=False, default=())

    def get(self, keyword: str) -> Any:
        """An attribute of the frame, of all frames or of the file, the nearest first; None where there is none."""
        tag = library("pydicom.datadict").tag_for_keyword(keyword)
        for group in self.groups:
            if tag in group and (value := group[tag].get(keyword)) is not None:
                return value
        return self.data.get(keyword)

    def number_of(self, keyword: str) -> float:
        """An attribute as a number, the first of several; infinite where it is missing or no number."""
        try:
            found = float(first(self.get(keyword)))
        except (TypeError, ValueError, OverflowError, AttributeError):
            return UNKNOWN
        return found if np.isfinite(found) else UNKNOWN

    def numbers(self, keyword: str, width: int) -> npt.NDArray[np.float64]:
        """An attribute of so many numbers; NaN where it is missing or has another form."""
        try:
            found = np.array([float(part) for part in self.get(keyword)])
        except (TypeError, ValueError, OverflowError, AttributeError):
            found = np.zeros(0)
        return found if found.shape == (width,) and np.isfinite(found).all() else np.full(width, np.nan)

    def text(self, keyword: str) -> str:
        """An attribute to compare by, never to show."""
        value = self.get(keyword)
        return "" if value is None else str(value)

    def entry(self, keyword: str) -> float:
        """This frame's entry in an attribute that lists a number for each frame of the file; NaN without."""
        return self._entry(keyword, self.number)

    def plane(self) -> npt.NDArray[np.float64]:
        """float64[6]: directions of a row and of a column; NaN where unknown."""
        axes = self.numbers("ImageOrientationPatient", 6).reshape(2, 3)
        lengths = np.linalg.norm(axes, axis=1, keepdims=True)
        return axes.ravel() if np.allclose(lengths, 1, atol=0.05) else np.full(6, np.nan)

    def position(self) -> npt.NDArray[np.float64]:
        """float64[3] in mm; NaN where unknown.

        What stands among the attributes of a file of several frames is the place of the first one alone.
        """
        if self.of == 1 or self._in_groups("ImagePositionPatient"):
            return self.numbers("ImagePositionPatient", 3)
        # Doses of radiotherapy: so many mm along the normal from the first frame.
        offset = self._entry("GridFrameOffsetVector", self.number) - self._entry("GridFrameOffsetVector", 0)
        if np.isnan(offset):
            return np.full(3, np.nan)
        axes = self.plane()
        return self.numbers("ImagePositionPatient", 3) + offset * np.cross(axes[:3], axes[3:])

    def spacing(self) -> tuple[float, float]:
        """Mm between rows and between columns; 0 where unknown."""
        for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
            down, across = (positive(part) for part in self.numbers(keyword, 2))
            if down or across:
                return down, across
        return 0.0, 0.0

    def thickness(self) -> float:
        """Mm from one slice to the next as a header has it, where places do not tell; 1 where unknown."""
        # Some gamma cameras write the distance as a negative number.
        distance = abs(self.number_of("SpacingBetweenSlices"))
        return positive(distance) or positive(self.number_of("SliceThickness")) or 1.0

    def turn(self) -> tuple[float, float, int, int]:
        """To sort by where places do not tell: number of the image, part of a divided image, file, frame."""
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
    """The frames of a file, by its header.

    Raises:
        Unreadable: it holds no image, or too many frames.
    """
    many = header_of(data).shape[0]
    if many < 1:
        raise Unreadable("a scan without voxels")
    if many > MOST:
        raise Unreadable(f"a scan of {many:,} frames is over the limit of {MOST:,}")
    shared = [_by_tag(group) for group in list(data.get("SharedFunctionalGroupsSequence") or [])[:1]]
    each = data.get("PerFrameFunctionalGroupsSequence") or []
    own = [[_by_tag(each[number])] if number < len(each) else [] for number in range(many)]
    return [Frame(data, file, number, many, (*own[number], *shared)) for number in range(many)]


def header_of(data: Any) -> Header:
    """Shape of a file, and kind. Raises Unreadable: it holds no image."""
    rows, columns = data.get("Rows"), data.get("Columns")
    if not rows or not columns:
        raise Unreadable("a DICOM file that holds no image (a report, a document, a plan …)")
    return Header((int(data.get("NumberOfFrames") or 1), int(rows), int(columns)), data.get("Modality") == "CT")


def _by_tag(group: Any) -> dict[int, Any]:
    """Tag → the data set that holds it, of all that a functional group holds."""
    found: dict[int, Any] = {}
    for element in group:
        if element.VR == "SQ" and len(element.value):
            for tag in element.value[0].keys():  # noqa: SIM118 - a data set iterates over its elements
                found.setdefault(int(tag), element.value[0])
    return found


def first(value: Any) -> Any:
    """The first of several values."""
    return next(iter(value), None) if isinstance(value, Iterable) and not isinstance(value, str) else value


def positive(value: float) -> float:
    """A finite number above 0, else 0."""
    return float(value) if np.isfinite(value) and value > 0 else 0.0


def file_as_frame(data: Any) -> Frame:
    """A file's first frame, or a file without an image, to ask for attributes."""
    groups = [
        _by_tag(group)
        for keyword in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
        for group in list(data.get(keyword) or [])[:1]
    ]
    return Frame(data, 0, 0, 1, tuple(groups))
