"""Write predictions to a file, atomically."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from sensorium.errors import TableError
from sensorium.files import one_writer, replaced_file
from sensorium.findings import Problem
from sensorium.table._formulas import find_formulas, without_formulas
from sensorium.table._xlsx import write_xlsx

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


def write_table(table: pa.Table, path: Path, *, safe_csv: bool = False) -> list[Problem]:
    """Write a table in the format of the suffix; an existing file is replaced once the new one is complete.

    Args:
        table: the table to write.
        path: its file.
        safe_csv: in CSV and TSV, put an apostrophe before text that a spreadsheet would read as a formula.

    Returns: Findings about such text in the file.

    Raises:
        TableError: as for `check_writable`, or the disk is full.
        BusyError: another process has been writing this file for a minute.
    """
    check_writable(path)
    suffix = path.suffix.lower()
    findings = find_formulas(table, safe_csv) if suffix in TEXTS else []
    try:
        with one_writer(path), replaced_file(path) as new:
            _write(without_formulas(table) if findings and safe_csv else table, new, suffix, str(path))
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"cannot write the table: {error}", place=str(path)) from None
    return findings


def _write(table: pa.Table, path: Path, suffix: str, place: str) -> None:
    if suffix == ".parquet":
        from pyarrow import parquet

        parquet.write_table(table, path)
    elif suffix == ".xlsx":
        write_xlsx(table, path, place)
    elif suffix in TEXTS:
        from pyarrow import csv

        csv.write_csv(table, path, csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ","))
    elif suffix == ".jsonl":
        import json

        with path.open("w", encoding="utf-8") as stream:
            for row in table.to_pylist():
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        from pyarrow import feather

        feather.write_feather(table, path)
