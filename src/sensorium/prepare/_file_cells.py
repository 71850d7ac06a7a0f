"""Files and bytes in cells, before they are decoded."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem, count
from sensorium.runtime.progress import Reporter
from sensorium.table import FILE_FIELDS, Column, FileCell, RemoteFiles, Table, is_encoded_file

SHOWN = 5  # names that an error lists


def mixes_bytes(column: Column) -> bool:
    """Return whether bytes are mixed with text; the reader returns such columns as {bytes, path}."""
    kind = column.data.type
    return bool(pa.types.is_struct(kind) and {field.name for field in kind} == FILE_FIELDS)


def bytes_among_texts(column: Column) -> list[Problem]:
    """Report bytes among the cells of a modality that reads no files."""
    rows = pc.indices_nonzero(pc.is_valid(pc.struct_field(column.data, ["bytes"]))).to_pylist()
    return [
        Problem(row, column.name, "bytes in a column of text: read as missing", "decode them to text") for row in rows
    ]


def fetch_files(column: Column, report: Reporter) -> None:
    """Download remote files in parallel before they are decoded."""
    if isinstance(column.files, RemoteFiles):
        with report.bar("fetching", len(column), "files") as bar:
            column.files.fetch(_paths(column), bar.advance)


def report_mended(table: Table, report: Reporter) -> None:
    """Report files that were damaged in the cache and downloaded again."""
    if mended := table.files.take_mended():
        shown = ", ".join(mended[:SHOWN]) + (" …" if len(mended) > SHOWN else "")
        report.log(f"? {count(len(mended), 'downloaded file')} in the cache damaged, downloaded again: {shown}")


def _paths(column: Column) -> Iterator[str]:
    for cell in column.values.to_pylist():
        if isinstance(cell, dict):
            held = FileCell.of(cell)
            cell = None if held.content else held.path
        parts = cell if isinstance(cell, list) else [cell]
        yield from (part for part in parts if isinstance(part, str) and not is_encoded_file(part))
