"""CSV and TSV: text tables with a header line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from sensorium.config import TableConfig
from sensorium.findings import Problem, be, count
from sensorium.table._encodings import encoding_error
from sensorium.table._header import Head, read_head
from sensorium.table._lines import count_lines, end_of_text, line_of
from sensorium.table._lost import swallowed_rows
from sensorium.table._profiles import Cells
from sensorium.table._quotes import straighten_quotes
from sensorium.table._ragged import explain
from sensorium.table._read import Read, finding
from sensorium.table._text import read_text

SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
TABS = (".tsv", ".tab")
SAMPLE = 1 << 18  # bytes of which the header and the separator are read
BLOCK = 1 << 21  # bytes that Arrow parses at a time


def csv(path: Path, config: TableConfig) -> Read:
    """Read a CSV or TSV file; every cell is text at first.

    Raises:
        TableError: the file is empty, has another encoding or no header, or its rows differ in length.
    """
    text = read_text(path, config.encoding)
    head = csv_head(text.data, path, config)
    data, findings = straighten_quotes(text.data, head.separator, config)
    head = head if data is text.data else csv_head(data, path, config)
    arrow, skipped = _parse(data, head, config, path)
    cells = Cells(arrow, data, head)
    findings += [*_skipped(cells, skipped), *_repeated(cells), *_control_characters(data)]
    arrow, unnamed = _without_unnamed(arrow.rename_columns(head.names))
    return Read(arrow, [*text.problems, *head.problems, *findings, *unnamed], head.separator, checked=True)


def csv_head(data: bytes, path: Path, config: TableConfig) -> Head:
    """Return the header of a text.

    Raises:
        TableError: the text has no header, or is not UTF-8.
    """
    end = len(data) if len(data) <= SAMPLE else max(data.find(b"\n", SAMPLE), data.find(b"\r", SAMPLE)) + 1
    sample = data[: end or len(data)]
    try:
        return read_head(sample.decode(), config, str(path), tabs=path.suffix.lower() in TABS)
    except UnicodeDecodeError as error:
        raise encoding_error(path, config.encoding, str(error), data) from None


def _parse(data: bytes, head: Head, config: TableConfig, path: Path) -> tuple[pa.Table, int]:
    """Parse all rows as text, and count the lines that are not rows."""
    if end_of_text(data) <= head.size:
        return pa.table({f"c{place}": pa.array([], pa.string()) for place in range(len(head.names))}), 0
    skipped = [0]

    def judge(row: arrow_csv.InvalidRow) -> str:
        passed = not row.text.strip(" \t\x1a\0") or bool(
            config.comment and row.text.lstrip().startswith(config.comment)
        )
        skipped[0] += passed
        return "skip" if passed else "error"

    for block in (BLOCK, min(len(data) + 1, 2**31 - 1)):
        try:
            arrow = _arrow(data, head, config, judge, block)
        except pa.ArrowInvalid as error:
            if "block" in str(error) and block == BLOCK:
                skipped[0] = 0
                continue
            raise explain(data, head, config, path, error) from None
        break
    if head.extra and any(column.null_count < len(column) for column in arrow.columns[-head.extra :]):
        raise explain(data, head, config, path, None)
    if config.comment:
        rows = arrow.filter(
            pc.invert(pc.fill_null(pc.starts_with(pc.utf8_ltrim_whitespace(arrow.column(0)), config.comment), False))
        )
        return rows, skipped[0] + len(arrow) - len(rows)
    return arrow, skipped[0]


def _arrow(data: bytes, head: Head, config: TableConfig, judge: object, block: int) -> pa.Table:
    names = [f"c{place}" for place in range(len(head.names))]  # Arrow looks types up by name; real ones may collide
    plain = config.quotes == "none"
    return arrow_csv.read_csv(
        pa.BufferReader(pa.py_buffer(data).slice(head.size)),
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=block),
        parse_options=arrow_csv.ParseOptions(
            delimiter=head.separator,
            quote_char=False if plain else '"',
            newlines_in_values=not plain,
            invalid_row_handler=judge,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )


def _skipped(cells: Cells, skipped: int) -> list[Problem]:
    """Report lines that are not rows; each row has one line, except for cells with line breaks."""
    lines = count_lines(cells.data, cells.head.size, end_of_text(cells.data))
    missing = lines - len(cells.arrow) - skipped
    if missing <= 0:
        return []
    found = swallowed_rows(cells)
    blank = missing - sum(cells.breaks.values())
    if blank > 0:
        message = f"{count(blank, 'blank line')} between the rows {be(blank)} skipped"
        cure = 'write "" for a missing cell' if len(cells.head.names) == 1 else "remove them"
        found.append(finding(message, cure))
    return found


def _repeated(cells: Cells) -> list[Problem]:
    """Report rows that repeat the header, as in concatenated files."""
    arrow, names = cells.arrow, cells.head.names
    if len(names) < 2 or not names[0]:
        return []
    rows = pc.indices_nonzero(pc.fill_null(pc.equal(arrow.column(0), names[0]), False))
    taken = zip(rows.to_pylist(), arrow.take(rows).to_pylist(), strict=True)
    found = [row for row, cells in taken if [cell or "" for cell in cells.values()] == names]
    if not found:
        return []
    reason = f"{count(len(found), 'row')} repeating the header (first: row {found[0]})"
    return [finding(reason, "remove these lines: they turn columns of numbers into text")]


def _control_characters(data: bytes) -> list[Problem]:
    place = data.find(b"\0")
    if place < 0:
        return []
    return [finding(f"cells contain NUL characters (first: line {line_of(data, place)})", "remove them from the file")]


def _without_unnamed(arrow: pa.Table) -> tuple[pa.Table, list[Problem]]:
    """Drop columns without names and cells, from separators at the ends of lines."""
    empty = [
        place
        for place, (name, column) in enumerate(zip(arrow.column_names, arrow.columns, strict=True))
        if not name and column.null_count == len(column)
    ]
    if not empty or not len(arrow):
        return arrow, []
    kept = [place for place in range(arrow.num_columns) if place not in empty]
    reason = f"{count(len(empty), 'column')} without a name and without a value {be(len(empty))}"
    return arrow.select(kept), [finding(f"{reason} left out", "remove the separators at the ends of the lines")]
