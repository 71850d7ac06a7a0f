"""Check the size of a workbook before it is read, because the reader allocates every cell in a sheet's extent.

A single cell in the last row and column of a sheet would allocate 17 billion cells.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from sensorium.errors import SensoriumError, TableError
from sensorium.files import UNREADABLE_ZIP
from sensorium.table._sheet_extent import MARK, Extent, HasEntities, refuse_entities

ALWAYS = 2**22  # cells of an extent that any sheet may have
FILLED = 20  # … and more, if one cell in so many is filled
LARGE, RATIO = 64 * 2**20, 300  # bytes of a part of the archive, unpacked, that may be packed so tightly
CHUNK = 2**20
BLANKS = b"\xef\xbb\xbf \t\r\n"  # and a byte order mark, before XML begins
BOM = b"\xef\xbb\xbf"
# No XML, yet the reader takes them where they stand in a text.
CONTROLS = bytes.maketrans(bytes({*range(32)} - {9, 10, 13}), b" " * 29)
CURE = "save or download it again"


def check_workbook(path: Path) -> None:
    """Check workbooks that are archives of XML; other formats are not checked.

    Raises:
        TableError: the workbook is damaged, a zip bomb, or nearly all cells of a sheet are empty.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                if part.file_size > max(LARGE, RATIO * part.compress_size):
                    found = f"{part.filename!r} unpacks from {part.compress_size:,} bytes to {part.file_size:,}"
                    raise TableError(found, place=str(path), rule=f"at most {RATIO} times the compressed size")
            for part in archive.infolist():
                if not part.is_dir() and _holds_cells(archive, part):
                    _check_sheet(archive, part, path)
    except SensoriumError:
        raise
    except UNREADABLE_ZIP as error:
        raise TableError(f"cannot read the workbook: {error}", place=str(path)) from None


def _holds_cells(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Return whether a file of the archive has cells."""
    mark, end = MARK.encode(), b""
    for place, chunk in enumerate(_chunks(archive, part)):
        if place == 0 and not chunk.lstrip(BLANKS).startswith(b"<"):  # no XML: a macro, a picture
            return False
        if mark in end + chunk:
            return True
        end = chunk[-len(mark) :]
    return False


def _chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _check_sheet(archive: zipfile.ZipFile, part: zipfile.ZipInfo, path: Path) -> None:
    extent, name = Extent(), part.filename
    # Only names and references matter, which are ASCII: no encoding of a text can be wrong this way.
    parser = expat.ParserCreate("iso-8859-1")
    parser.StartElementHandler = extent.open
    parser.StartDoctypeDeclHandler = refuse_entities
    try:
        for place, chunk in enumerate(_chunks(archive, part)):
            parser.Parse((chunk if place else chunk.removeprefix(BOM)).translate(CONTROLS))
        parser.Parse(b"", True)
    except (expat.ExpatError, HasEntities) as error:
        raise TableError(f"the sheet {name!r} is damaged: {error}", place=str(path), cure=CURE) from None
    if extent.rows * extent.columns > max(ALWAYS, FILLED * extent.cells):
        size = f"spans {extent.rows:,} rows and {extent.columns:,} columns, but only {extent.cells:,} cells exist"
        cure = "delete cells far from the table, or save it as CSV"
        raise TableError(f"the sheet {name!r} {size}", place=str(path), cure=cure)
