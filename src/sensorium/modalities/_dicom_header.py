"""Shape and kind of the frames of a DICOM file, by its header."""

from __future__ import annotations

from typing import Any

from sensorium.findings import Unreadable
from sensorium.modalities._scans import Header

MOST = 100_000  # frames of a scan


def header_of(data: Any) -> Header:
    """Return shape and kind of a file. Raises Unreadable: it contains no image."""
    rows, columns = data.get("Rows"), data.get("Columns")
    if not rows or not columns:
        raise Unreadable("the DICOM file contains no image (a report, a document, a plan …)")
    return Header((int(data.get("NumberOfFrames") or 1), int(rows), int(columns)), data.get("Modality") == "CT")
