"""Answers → a file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from sensorium.errors import TableError
from sensorium.files import one_writer, replaced_file

WRITTEN = (".parquet", ".csv", ".tsv", ".jsonl", ".arrow", ".feather")


def check_writable(path: Path) -> None:
    """Say before the work that its result could not be written.

    Raises:
        TableError: unknown suffix, no such folder, or a folder of that name.
    """
    if path.suffix.lower() not in WRITTEN:
        raise TableError(f"{path.suffix or 'no suffix'} can't be written", place=str(path), rule=", ".join(WRITTEN))
    if not path.resolve().parent.is_dir():
        raise TableError("there is no such folder", place=str(path.parent), cure="make it first")
    if path.is_dir():
        raise TableError("this is a folder, not a file", place=str(path), cure="choose another name")


def write_table(table: pa.Table, path: Path) -> None:
    """By suffix; a file that was there is replaced once the new one is complete.

    Raises:
        TableError: as `check_writable`, or the disk is full.
        BusyError: another process has been writing this file for a minute.
    """
    check_writable(path)
    try:
        with one_writer(path), replaced_file(path) as new:
            _write(table, new, path.suffix.lower())
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"the table can't be written: {error}", place=str(path)) from None


def _write(table: pa.Table, path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        from pyarrow import parquet

        parquet.write_table(table, path)
    elif suffix in (".csv", ".tsv"):
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
