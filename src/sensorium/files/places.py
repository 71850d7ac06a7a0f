"""Check where a command may write: not over its inputs, and not into the folder of a model."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sensorium.config import is_path
from sensorium.errors import ConfigError
from sensorium.files.archives import UNREADABLE_ZIP

MODEL_FORMAT = "sensorium.model"  # what a model's manifest names first
MANIFEST = "manifest.json"
HEAD = 4096  # bytes of a manifest; the format is named first
PARTS = (".parquet", ".arrow", ".feather")  # such files in a table's folder are read as parts of it
CURE = "choose another output path"


def check_apart(outputs: Iterable[Path], **inputs: Any) -> None:
    """Raise an error, before the work, if an output would replace an input.

    Args:
        outputs: what will be written.
        inputs: role (`table`, `model`, `config`) → its path; addresses and objects in memory are ignored.

    Raises:
        ConfigError: an output is an input, or would be a part of one.
    """
    given = [(role, Path(source)) for role, source in inputs.items() if is_path(source)]
    given += [(role, source / "model") for role, source in given if role == "model"]  # a run's folder
    for output in outputs:
        for role, source in given:
            if _is_same(output, source) or (role == "table" and _is_part(output, source)):
                raise ConfigError(f"the output would replace the {role} that is read", place=str(output), cure=CURE)


def check_outside_models(output: Path) -> None:
    """Raise an error, before the work, if an output would be inside the folder of a model and make it unreadable.

    Raises:
        ConfigError: a parent folder is a model.
    """
    for parent in _resolved(output).parents:
        if is_model(parent):
            rule = "a model's folder contains only its own files"
            raise ConfigError("the output is inside a model's folder", place=str(output), rule=rule, cure=CURE)


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
    """Return the resolved folder plus the file's own name: a link of this name is replaced, not followed."""
    return path.parent.resolve() / path.name


def is_model(path: Path) -> bool:
    """Return whether a folder or zip file has a manifest of a Sensorium model."""
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
