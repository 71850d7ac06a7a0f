"""Write predictions to a file, atomically."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from sensorium.errors import TableError
from sensorium.files import one_writer, replaced_file
from sensorium.findings import Problem
from sensorium.table._as_text import json_lines, with_plain_types, with_spelt_dates, with_text
from sensorium.table._formulas import find_formulas, without_formulas
from sensorium.table._xlsx import check_sheet, write_xlsx

WRITTEN = (".parquet", ".csv", ".tsv", ".jsonl", ".arrow", ".feather", ".xlsx")
TEXTS = (".csv", ".tsv")


def check_writable(path: Path) -> None:
    """Raise an error, before predicting, if the result could not be written.

    Raises:
        TableError: the suffix is unknown, the folder does not exist, or the path is a folder.
    """
    if path.suffix.lower() not in WRITTEN:
        found = f"cannot write {path.suffix} files" if path.suffix else "the name of the file has no suffix"
        rule = f"the suffix gives the format: {', '.join(WRITTEN)}"
        raise TableError(found, place=str(path), rule=rule, cure=f"such as {path.with_suffix('.csv').name}")
    if not path.resolve().parent.is_dir():
        raise TableError("the folder does not exist", place=str(path.parent), cure="create it first")
    if path.is_dir():
        raise TableError("this is a folder, not a file", place=str(path), cure="choose another name")


def check_fits(table: pa.Table, path: Path, *, names: Sequence[str], cure: str) -> None:
    """Check, before predicting, that a file can hold cells that are to be written to it.

    Args:
        table: the cells that are known; the rows are those of the file.
        path: the file.
        names: all columns of the file.
        cure: what to do about text that is too long.

    Raises:
        TableError: as for `check_writable`; or the file is a workbook, and a sheet cannot hold the table.
    """
    check_writable(path)
    if path.suffix.lower() == ".xlsx":
        check_sheet(with_text(table), str(path), names=names, cure=cure)


def write_table(
    table: pa.Table,
    path: Path,
    *,
    safe_csv: bool = False,
    numbers: Collection[str] = (),
    cut: Collection[str] = (),
) -> list[Problem]:
    """Write a table in the format of the suffix; an existing file is replaced once the new one is complete.

    In CSV, TSV and XLSX, lists and objects are JSON, and bytes are data URLs. Dates beyond the years 1
    to 9999 are ISO text, in JSON Lines as well.

    Args:
        table: the table to write.
        path: its file.
        safe_csv: in CSV and TSV, put an apostrophe before text that a spreadsheet would read as a formula.
        numbers: columns of text whose cells are all numbers, which are no formulas.
        cut: in XLSX, columns whose text is cut where it is longer than a cell can be.

    Returns: Findings about formulas and cut text in the file.

    Raises:
        TableError: as for `check_writable`, a sheet of an XLSX file cannot hold the table, or the disk is full.
        BusyError: another process has been writing this file for a minute.
    """
    check_writable(path)
    suffix, findings = path.suffix.lower(), list[Problem]()
    if suffix in TEXTS:
        table, findings = _csv_cells(table, numbers, safe=safe_csv)
    try:
        with one_writer(path), replaced_file(path) as new:
            findings += _write(table, new, suffix, str(path), cut)
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"cannot write the table: {error}", place=str(path)) from None
    return findings


def write_csv(
    table: pa.Table, stream: BinaryIO, *, safe_csv: bool = False, numbers: Collection[str] = ()
) -> list[Problem]:
    """Write a table as CSV to an open binary file, as `write_table` writes it to a path.

    Args:
        table: the table to write.
        stream: the open file.
        safe_csv, numbers: as for `write_table`.

    Returns: Findings about text that a spreadsheet would read as a formula.
    """
    from pyarrow import csv

    table, findings = _csv_cells(table, numbers, safe=safe_csv)
    csv.write_csv(table, pa.PythonFile(stream, "w"))
    stream.flush()
    return findings


def _csv_cells(table: pa.Table, numbers: Collection[str], *, safe: bool) -> tuple[pa.Table, list[Problem]]:
    """Return the table with types that CSV has, and findings about formulas in it."""
    table = with_spelt_dates(with_text(table))
    findings = find_formulas(table, numbers, safe=safe)
    return (without_formulas(table, numbers) if findings and safe else table), findings


def _write(table: pa.Table, path: Path, suffix: str, place: str, cut: Collection[str]) -> list[Problem]:
    """Write a file, which may be a temporary one; return findings about cells that it cannot hold."""
    if suffix == ".parquet":
        from pyarrow import parquet

        parquet.write_table(with_plain_types(table), path)
    elif suffix == ".xlsx":
        return write_xlsx(with_text(table), path, place, cut=cut)
    elif suffix in TEXTS:
        from pyarrow import csv

        csv.write_csv(table, path, csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ","))
    elif suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as stream:
            stream.writelines(json_lines(table))
    else:
        from pyarrow import feather

        feather.write_feather(table, path)
    return []
