"""Write workbooks of one sheet as Office Open XML (ECMA-376); text is stored as text, never as a formula."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.errors import TableError
from sensorium.findings import Problem, count, shorten
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


def check_sheet(table: pa.Table, place: str, *, names: Sequence[str] = (), cure: str = OTHER_FORMAT) -> None:
    """Check that a sheet can hold a table.

    Args:
        table: the cells, without lists, objects and bytes.
        place: the file, in errors.
        names: all columns of the sheet, if the table has some of them only.
        cure: what to do about text that is too long.

    Raises:
        TableError: more rows, columns or characters in a cell than a sheet can hold.
    """
    names = names or table.column_names
    if len(table) >= ROWS or len(names) > COLUMNS:
        found = f"{len(table):,} rows and {len(names):,} columns are more than a sheet can hold"
        rule = f"a sheet has at most {ROWS - 1:,} rows and {COLUMNS:,} columns"
        raise TableError(found, place=place, rule=rule, cure=OTHER_FORMAT)
    rule = f"a cell of a sheet has at most {CHARACTERS:,} characters"
    for name in names:
        if _units(name) > CHARACTERS:
            found = f"the name of column {shorten(name)!r} has {_units(name):,} characters"
            raise TableError(found, place=place, rule=rule, cure=cure)
    for name, cells in zip(table.column_names, table.columns, strict=True):
        if long := _too_long(cells):
            row, size = long[0]
            more = f"; {len(long):,} cells of the column are too long" if len(long) > 1 else ""
            found = f"row {row:,} of column {shorten(name)!r} has {size:,} characters{more}"
            raise TableError(found, place=place, rule=rule, cure=cure)


def write_xlsx(table: pa.Table, path: Path, place: str, *, cut: Collection[str] = ()) -> list[Problem]:
    """Write one sheet with a header; values other than numbers and booleans are text.

    Args:
        table: the cells, without lists, objects and bytes.
        path: the file to write, which may be a temporary one.
        place: its name in errors.
        cut: columns whose text is cut where it is longer than a cell can be.

    Returns: Findings about such text.

    Raises:
        TableError: more rows, columns or characters in a cell than a sheet can hold.
    """
    table, findings = _with_cut_text(table, cut)
    check_sheet(table, place)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name), _OPEN + content, zipfile.ZIP_DEFLATED)
        sheet = zipfile.ZipInfo("xl/worksheets/sheet1.xml")  # of no date: the same table makes the same file
        sheet.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(sheet, "w", force_zip64=True) as stream:
            stream.write(f'{_OPEN}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for row in _rows(table):
                stream.write(f"<row>{''.join(map(_cell, row))}</row>".encode())
            stream.write(b"</sheetData></worksheet>")
    return findings


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    yield tuple(table.column_names)
    for start in range(0, len(table), TOGETHER):
        part = table.slice(start, TOGETHER)
        yield from zip(*map(python_cells, part.columns), strict=True)


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= EXACT:
        return f"<c><v>{value!r}</v></c>"
    text = escape(_NO_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", str(value)))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _with_cut_text(table: pa.Table, names: Collection[str]) -> tuple[pa.Table, list[Problem]]:
    """Return the table with text of some columns cut to what a cell can hold, and a finding for each of them."""
    findings = []
    for place, name in enumerate(table.column_names):
        if name in names and (rows := [row for row, _ in _too_long(table.column(place))]):
            cells = table.column(place).to_pylist()
            for row in rows:
                cells[row] = _cut(cells[row])
            table = table.set_column(place, name, pa.array(cells, pa.string()))
            reason = f"text of {count(len(rows), 'cell')} is cut to {CHARACTERS:,} characters, which a cell can hold"
            findings.append(Problem(None, name, reason, OTHER_FORMAT))
    return table, findings


def _cut(text: str) -> str:
    return text.encode("utf-16-le")[: 2 * (CHARACTERS - 1)].decode("utf-16-le", "ignore") + "…"


def _too_long(cells: pa.ChunkedArray) -> list[tuple[int, int]]:
    """Return row and length of each text that is too long for a cell."""
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return []
    texts = cells.cast(pa.large_string())
    rows = np.flatnonzero(pc.binary_length(texts).fill_null(0).to_numpy() > CHARACTERS)  # bytes ≥ units of UTF-16
    sizes = [(int(row), _units(texts[int(row)].as_py())) for row in rows]
    return [(row, size) for row, size in sizes if size > CHARACTERS]


def _units(text: str) -> int:
    """Return the length in units of UTF-16, as Excel counts; an emoji has two."""
    return len(text) + sum(sign > "\uffff" for sign in text)
