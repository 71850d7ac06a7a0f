"""Files and folders of medical images, and the reader that each needs."""

from __future__ import annotations

import io
from itertools import islice
from typing import Any

from sensorium.errors import MissingExtraError
from sensorium.findings import Guess, Unreadable
from sensorium.modalities import _dicom, _nifti
from sensorium.modalities._dicom_open import has_magic, is_dicom
from sensorium.modalities._file_columns import HEAD, MOSTLY
from sensorium.modalities._files import Source, decode_sample
from sensorium.modalities._scans import Header, guarded, library, quiet
from sensorium.table import Column, encoded_head, is_encoded_file

SUFFIXES = (".dcm", ".dicom", ".nii", ".nii.gz")
LOOKED_AT = 20


def require_readers() -> None:
    library("pydicom")
    library("nibabel")


def reader_of(source: Source) -> Any:
    """Return the reader: DICOM unless the source starts like NIfTI."""
    if isinstance(source, io.BytesIO):
        head = bytes(source.getbuffer()[:HEAD])
    elif source.is_dir():
        return _dicom
    else:
        with source.open("rb") as stream:
            head = stream.read(HEAD)
    return _nifti if head.startswith(_nifti.GZIP) or _nifti.is_nifti(head) else _dicom


def read_header(source: Source) -> Header:
    header: Header = reader_of(source).read_header(source)
    return header


def is_scan(head: bytes) -> bool:
    """Return whether bytes start like a DICOM file or like an uncompressed NIfTI file."""
    return is_dicom(head) or _nifti.is_nifti(head)


def sizes_differ(column: Column) -> bool:
    """Return whether sampled scans have different sizes in voxels or mm; False without the extra `medical`."""
    try:
        with quiet():
            headers = decode_sample(
                column, lambda source: guarded(lambda: read_header(source)), most=LOOKED_AT, folders=True
            )
    except MissingExtraError:
        return False
    return len({(header.shape, header.spacing) for header in headers}) > 1


def claim_series_of_slices(column: Column) -> Guess | None:
    """Claim folders of DICOM files, or DICOM files without a suffix."""
    if not column.is_string:
        return None
    looked = column.sample(LOOKED_AT)
    others = 0
    for value in looked:
        others += not _is_series(value, column)
        if len(looked) - others < MOSTLY * len(looked):
            return None
    return Guess(0.95, "DICOM files or folders") if looked else None


def _is_series(value: str, column: Column) -> bool:
    if is_encoded_file(value):
        return is_dicom(encoded_head(value, HEAD) or b"")
    try:
        path = column.files.path(value, folders=True)
        files = (f for f in path.iterdir() if f.is_file() and not f.is_symlink()) if path.is_dir() else iter([path])
        # Other files may lie beside the images: an index, a licence, hidden system files.
        return any(has_magic(file) for file in islice(files, LOOKED_AT))
    except (Unreadable, OSError):
        return False
