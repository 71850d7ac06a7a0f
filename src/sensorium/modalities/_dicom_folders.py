"""Read the headers of the DICOM images in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sensorium.findings import Unreadable, be, count
from sensorium.modalities._dicom_header import header_of
from sensorium.modalities._dicom_open import has_magic, open_dicom
from sensorium.modalities._scans import Note

FILES = 100_000  # files read from a folder, at most
BESIDE = ("dicomdir", "desktop.ini", "thumbs.db")  # files that usually lie beside images
LOOSE = "remove them from the folder, or repair them if they are images"


def folder_headers(folder: Path) -> tuple[list[Any], list[Note]]:
    """Read the headers of a folder's images, sorted by name. Links are not followed: they may lead outside."""
    entries = sorted(folder.iterdir())
    files = [path for path in entries if not path.is_symlink() and path.is_file()]
    found = [path for path in files if has_magic(path)]
    headers = [data for path in found[:FILES] if _is_image(data := open_dicom(path, pixels=False))]
    if not headers:
        inside = any(path.is_dir() for path in entries)
        cure = "name the folder that contains the files themselves" if inside else ""
        raise Unreadable("the folder contains no DICOM images", cure)
    known = {data.filename for data in headers} | {str(path) for path in found[FILES:]}
    loose = sum(str(path) not in known and _may_be_meant(path) for path in entries)
    notes = list[Note]()
    if loose:
        found_loose = f"{count(loose, 'item')} of the folder {be(loose)} skipped"
        notes.append((f"{found_loose} (links, folders, or files that are not DICOM images)", LOOSE))
    if len(found) > FILES:
        notes.append((f"only the first {FILES:,} of {len(found):,} files are read", "split the folder"))
    return headers, notes


def _is_image(data: Any) -> bool:
    try:
        return header_of(data).shape[0] > 0
    except (Unreadable, TypeError, ValueError):
        return False


def _may_be_meant(path: Path) -> bool:
    return not path.name.startswith(".") and path.name.lower() not in BESIDE
