"""What a workbook would take to read, found before: the reader makes room for every cell of a sheet's extent.

One cell in the last row and column of a sheet asks for 17 billion; a program that can't have that memory is ended.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from sensorium.errors import TableError

ALWAYS = 2**22  # cells of an extent that any sheet may have
FILLED = 20  # … and more, where one in so many is filled
LARGE, RATIO = 64 * 2**20, 300  # bytes of a part of the archive, unpacked, that may be packed so tightly
CHUNK = 2**20
SHEETS = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
CELL = re.compile(rb"""<(?:\w+:)?c(?:\s[^>]*?\br\s*=\s*["']([A-Za-z]{1,8})([0-9]{1,12})["']|[\s>/])""")
ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br\s*=\s*["']([0-9]{1,12})["']""")


def check_workbook(path: Path) -> None:
    """Workbooks that are archives of XML are looked through; others pass.

    Raises:
        TableError: damaged, packed like a bomb, or a sheet of which nearly all cells are empty.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                if part.file_size > max(LARGE, RATIO * part.compress_size):
                    found = f"{part.filename!r} unpacks from {part.compress_size:,} bytes to {part.file_size:,}"
                    raise TableError(found, place=str(path), rule=f"at most {RATIO} times as many")
            for name in filter(SHEETS.fullmatch, archive.namelist()):
                _check_sheet(archive, name, path)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise TableError(f"the workbook can't be read: {error}", place=str(path)) from None


def _check_sheet(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    rows = columns = cells = 0
    rest = b""
    with archive.open(name) as stream:
        while chunk := stream.read(CHUNK):
            text = rest + chunk
            end = text.rfind(b"<") if len(text) < 2 * CHUNK else len(text)  # a tag is looked at whole
            text, rest = text[:end], text[end:]
            found = CELL.findall(text)
            cells += len(found)
            columns = max([columns, *map(_number, {letters for letters, _ in found})])
            rows = max([rows, *map(int, {digits for _, digits in found if digits}), *map(int, ROW.findall(text))])
    if rows * columns > max(ALWAYS, FILLED * cells):
        finding = f"the sheet {name!r} spans {rows:,} rows and {columns:,} columns, of which {cells:,} cells are there"
        raise TableError(finding, place=str(path), cure="delete what is far from the table, or save it as CSV")


def _number(letters: bytes) -> int:
    """`A` → 1, `XFD` → 16384; nothing → 0."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number
