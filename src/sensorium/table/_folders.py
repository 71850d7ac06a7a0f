"""Read a folder of class folders: `photos/cat/1.jpg`, or `photos/train/cat/1.jpg`."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from sensorium.errors import TableError

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")


def class_folders(path: Path) -> pa.Table:
    """Return columns `file` (relative path), `label` (class folder), and `split` if there are split folders above.

    Names that begin with a dot are ignored; so are files beside the class folders.

    Raises:
        TableError: there are fewer than two class folders with files.
    """
    tops = _folders(path)
    split = bool(tops) and all(top.name.lower() in SPLITS for top in tops)
    rows = [
        {"file": str(file.relative_to(path)), "label": each.name, **({"split": each.parent.name} if split else {})}
        for each in ([inner for top in tops for inner in _folders(top)] if split else tops)
        for file in _files(each)
    ]
    if len({row["label"] for row in rows}) < 2:
        tables = sorted(file.name for file in path.iterdir() if file.suffix.lower() in (".csv", ".tsv", ".jsonl"))
        raise TableError(
            "this is a folder, not a table",
            place=str(path),
            rule="a file, a folder of class folders (photos/cat/1.jpg, photos/dog/2.jpg), or one of Parquet parts",
            cure=f"give the path of one of its tables: {', '.join(tables[:5])}" if tables else "",
        )
    return pa.Table.from_pylist(rows)


def _folders(path: Path) -> list[Path]:
    return sorted(inner for inner in path.iterdir() if inner.is_dir() and not inner.name.startswith("."))


def _files(path: Path) -> list[Path]:
    """Return all files in a folder, at any depth; links to folders are not followed, as they may form a cycle."""
    found = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))
