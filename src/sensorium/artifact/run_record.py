"""Identity of the run in a folder, and whether it is finished."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from sensorium.artifact.format import to_json
from sensorium.errors import ConfigError
from sensorium.files import MANIFEST
from sensorium.files.identity import differences

RECORD = "run.json"
PENDING = ".run.json.next"  # of a run that replaces an earlier one once it is complete
LARGEST = 2**24  # bytes of a record
SHOWN = 5  # differences that an error lists
CURE = "--overwrite replaces it (Python: overwrite=True), --out FOLDER keeps both"


class State(Enum):
    """State of a run in a folder."""

    NEW = "nothing of it"
    UNFINISHED = "a part of it"
    FINISHED = "all of it"


@dataclass(frozen=True)
class RunRecord:
    """The content of `run.json`.

    Attributes:
        made_of: dotted name → value of everything that determines the result: settings, versions, hashes of the data.
        model: hash of the finished model; empty until the run is finished.
    """

    made_of: Mapping[str, Any]
    model: str = ""

    def to_json(self) -> bytes:
        """Return the content of the file."""
        return to_json({"made_of": dict(self.made_of), "model": self.model})

    @classmethod
    def read(cls, folder: Path, name: str = RECORD) -> RunRecord | None:
        """Return the record in a folder; None if it is missing or not readable."""
        path = folder / name
        try:
            if not path.is_file() or path.stat().st_size > LARGEST:
                return None
            found = json.loads(path.read_bytes())
            return cls(dict(found["made_of"]), str(found["model"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None


def digest(model: Path) -> str:
    """Return a hash of the model in a folder; empty if there is no model."""
    path = model / MANIFEST
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def settle(folder: Path, made_of: Mapping[str, Any], *, holds: bool, overwrite: bool, model: Path | None) -> State:
    """Return the state of a run in a folder.

    Args:
        folder: of the run.
        made_of: what the run is made of.
        holds: whether the folder contains results that a new run would replace.
        overwrite: whether these results may be replaced.
        model: path of the finished model; None for a run with several models.

    Raises:
        ConfigError: the folder holds another run, and `overwrite` is not set.
    """
    record = RunRecord.read(folder)
    if overwrite or not holds:
        return State.NEW
    if record is None:
        rule = "a run can only be continued if its folder records its settings and data"
        raise ConfigError("the folder holds a run of an earlier version", place=str(folder), rule=rule, cure=CURE)
    found = differences(record.made_of, made_of)
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        told = f"the folder holds another run: {'; '.join(found[:SHOWN])}{more}"
        raise ConfigError(told, place=str(folder), rule="one run per folder", cure=CURE)
    if model is not None and record.model and record.model == digest(model):
        return State.FINISHED
    return State.UNFINISHED
