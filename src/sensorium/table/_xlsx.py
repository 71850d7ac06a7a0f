"""Write workbooks of one sheet as Office Open XML (ECMA-376); text is stored as text, never as a formula."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa

from sensorium.errors import TableError
from sensorium.table._far_dates import python_cells

ROWS, COLUMNS, CHARACTERS = 2**20, 2**14, 2**15 - 1  # that a sheet, or a cell, can hold
EXACT = 2**53  # whole numbers beyond it would lose digits
TOGETHER = 5000  # rows turned into Python objects at a time
# What XML can't hold is spelt _x001B_; text that looks like that is escaped itself (ECMA-376, ST_Xstring).
_NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_OPEN = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


OTHER_FORMAT = "write another format, such as .csv or .parquet"


def write_xlsx(table: pa.Table, path: Path, place: str) -> None:
    """Write one sheet with a header; values other than numbers and booleans are text.

    Args:
        table: the cells.
        path: the file to write, which may be a temporary one.
        place: its name in errors.

    Raises:
        TableError: more rows, columns or characters in a cell than a sheet can hold.
    """
    if len(table) >= ROWS or table.num_columns > COLUMNS:
        found = f"{len(table):,} rows and {table.num_columns:,} columns are more than a sheet can hold"
        rule = f"a sheet has at most {ROWS - 1:,} rows and {COLUMNS:,} columns"
        raise TableError(found, place=place, rule=rule, cure=OTHER_FORMAT)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name), _OPEN + content, zipfile.ZIP_DEFLATED)
        sheet = zipfile.ZipInfo("xl/worksheets/sheet1.xml")  # of no date: the same table makes the same file
        sheet.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(sheet, "w", force_zip64=True) as stream:
            stream.write(f'{_OPEN}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for row in _rows(table):
                stream.write(f"<row>{''.join(_cell(value, place) for value in row)}</row>".encode())
            stream.write(b"</sheetData></worksheet>")


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    yield tuple(table.column_names)
    for start in range(0, len(table), TOGETHER):
        part = table.slice(start, TOGETHER)
        yield from zip(*map(python_cells, part.columns), strict=True)


def _cell(value: Any, place: str) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= EXACT:
        return f"<c><v>{value!r}</v></c>"
    text = str(value)
    if _length(text) > CHARACTERS:
        rule = f"a cell of a sheet has at most {CHARACTERS:,} characters"
        raise TableError(f"a cell has {_length(text):,} characters", place=place, rule=rule, cure=OTHER_FORMAT)
    text = escape(_NO_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _length(text: str) -> int:
    """Return the length in units of UTF-16, as Excel counts; an emoji has two."""
    return len(text) + sum(sign > "\uffff" for sign in text)
