"""Where a command may write: not over what it reads, and not into a model's folder, which holds nothing else."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sensorium.errors import ConfigError
from sensorium.files.archives import UNREADABLE_ZIP

MODEL_FORMAT = "sensorium.model"  # what a model's manifest names first
MANIFEST = "manifest.json"
HEAD = 4096  # bytes of a manifest; the format is named first
PARTS = (".parquet", ".arrow", ".feather")  # such files in a table's folder are read as parts of it
CURE = "choose another place for the output"


def check_apart(outputs: Iterable[Path], **inputs: Any) -> None:
    """Say before the work that it would replace what it reads.

    Args:
        outputs: what will be written.
        inputs: what each is (`table`, `model`, `config`) → its path; an address, or an object in memory, is left alone.

    Raises:
        ConfigError: an output is an input, or would be a part of one.
    """
    given = [(role, Path(source)) for role, source in inputs.items() if isinstance(source, str | os.PathLike)]
    given += [(role, source / "model") for role, source in given if role == "model"]  # a run's folder
    for output in outputs:
        for role, source in given:
            if _is_same(output, source) or (role == "table" and _is_part(output, source)):
                raise ConfigError(f"the output would replace the {role} that is read", place=str(output), cure=CURE)


def check_outside_models(output: Path) -> None:
    """Say before the work that a file or folder would make a model unreadable.

    Raises:
        ConfigError: a folder above it is a model's.
    """
    for parent in _resolved(output).parents:
        if is_model(parent):
            rule = "a model's folder holds its own files only"
            raise ConfigError("the output lies in a model's folder", place=str(output), rule=rule, cure=CURE)


def _is_same(output: Path, source: Path) -> bool:
    try:
        return output.samefile(source)
    except (OSError, ValueError):  # one of them is not there, or is an address
        return False


def _is_part(output: Path, table: Path) -> bool:
    try:
        return output.suffix.lower() in PARTS and table.is_dir() and _resolved(output).is_relative_to(table.resolve())
    except OSError:
        return False


def _resolved(path: Path) -> Path:
    """The folder that it lies in, without links, and its own name: a link there is replaced, not followed."""
    return path.parent.resolve() / path.name


def is_model(path: Path) -> bool:
    """Does a manifest of ours, in this folder or zip, say that it is a model?"""
    try:
        return f'"{MODEL_FORMAT}"'.encode() in (_zipped_head(path) if path.is_file() else _head(path))
    except (OSError, KeyError, *UNREADABLE_ZIP):  # a KeyError: a zip without a manifest
        return False


def _head(folder: Path) -> bytes:
    with (folder / MANIFEST).open("rb") as stream:
        return stream.read(HEAD)


def _zipped_head(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive, archive.open(MANIFEST) as stream:
        return stream.read(HEAD)
