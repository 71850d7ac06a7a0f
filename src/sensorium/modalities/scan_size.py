"""Size of medical scans in mm and voxels, read from their headers, before scans are resampled to one grid."""

from __future__ import annotations

from typing import ClassVar, Self

from sensorium.config import exclude_column
from sensorium.findings import Problem
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._files import Source
from sensorium.modalities._measures import Measures
from sensorium.modalities._scan_files import SUFFIXES, is_scan, read_header, require_readers
from sensorium.modalities._scans import Note, guarded, quiet
from sensorium.table import Column

DECLARE = "write it into the file, or exclude this column"


class ScanSize(Measures):
    """Size of a scan, a view of a column of scans: `scan.size`.

    A scan is stretched to one grid, which removes its physical size from the voxels. This column keeps it: extent in mm
    along each axis, volume in ml, and the numbers of slices, rows and columns. Where a file declares no spacing, 1 mm
    is assumed and reported.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = (
        *("depth in mm", "height in mm", "width in mm", "volume in ml"),
        *("number of slices", "number of rows", "number of columns"),
    )
    files: ClassVar[str] = "DICOM or NIfTI"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES
    folders: ClassVar[bool] = True

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return is_scan(head)

    @classmethod
    def learn(cls, column: Column) -> Self:
        """Learn which measures differ, and their scale.

        Args:
            column: training rows.
        """
        require_readers()
        with quiet():
            return super().learn(column)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        require_readers()
        with quiet():
            return super().encode(column, work)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        return cls.noted(source)[0]

    @classmethod
    def noted(cls, source: Source) -> tuple[tuple[float, ...], tuple[Note, ...]]:
        header = guarded(lambda: read_header(source))
        depth, height, width = (voxels * mm for voxels, mm in zip(header.shape, header.spacing, strict=True))
        found = (depth, height, width, depth * height * width / 1000, *map(float, header.shape))
        return found, tuple((text, DECLARE) for text in header.assumed)

    def findings(self, column: str) -> list[Problem]:
        reason = f"the original sizes of the scans differ and are used ({self.describe()})"
        cure = f"{exclude_column(column)} if they depend on how scans were made or cropped, not on what they show"
        return [Problem(None, column, reason, cure)]
