"""Identity of the run in a folder, and whether it is finished."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from sensorium.artifact.format import to_json
from sensorium.config import MAX_THREADS
from sensorium.errors import ArtifactError, ConfigError
from sensorium.files import MANIFEST
from sensorium.files.caches import SEAL
from sensorium.files.hashes import hash_file
from sensorium.files.identity import ORDER, TABLE, differences
from sensorium.runtime.threads import Threads

RECORD = "run.json"
PENDING = ".run.json.next"  # of a run that replaces an earlier one once it is complete
LARGEST = 2**24  # bytes of a record
NEEDED = ("command", "version.sensorium", "version.torch", TABLE)  # what every run is made of
LONGEST = 100  # characters of a name of a file
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
        files: name → hash of the files beside the finished model.
        threads: number of threads, as `Threads.to_json` returns it; a resumed run uses it. None in early versions.
        cores: number of cores that default sizes were chosen for, for the same run on another machine. None in early
            versions.
    """

    made_of: Mapping[str, Any]
    model: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    threads: Mapping[str, Any] | None = None
    cores: int | None = None

    def to_json(self) -> bytes:
        """Return the content of the file, with a checksum."""
        content: dict[str, Any] = {"made_of": dict(self.made_of), "model": self.model, "files": dict(self.files)}
        content |= {"threads": dict(self.threads)} if self.threads else {}
        content |= {"cores": self.cores} if self.cores else {}
        return to_json({**content, SEAL: _checksum(content)})

    @classmethod
    def read(cls, folder: Path, name: str = RECORD) -> RunRecord | None:
        """Return the record of a folder; None if there is none.

        Raises:
            ArtifactError: the file is damaged.
        """
        path = folder / name
        if not path.is_file():
            return None
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"it is larger than {LARGEST:,} bytes")
            return cls._parse(json.loads(path.read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise ArtifactError(
                f"the record of the run is damaged: {reason}",
                place=str(path),
                rule="a run can be continued only if its record is unchanged",
                cure=f"restore the file from a copy; {CURE}",
            ) from None

    @classmethod
    def _parse(cls, content: Any) -> RunRecord:
        """Return the record of the values of a file; those of earlier versions have no checksum."""
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
        if SEAL in content and content.pop(SEAL) != _checksum(content):
            raise ValueError("its checksum differs")
        made_of, model, files = content.get("made_of"), content.get("model"), content.get("files", {})
        if not isinstance(made_of, dict) or not isinstance(model, str) or not isinstance(files, dict):
            raise ValueError("its entry 'made_of', 'model' or 'files' is missing or of another type")
        if missing := [name for name in NEEDED if not isinstance(made_of.get(name), str)]:
            raise ValueError(f"its entry 'made_of' lacks {', '.join(missing)}")
        if foreign := [name for name in files if Path(name).name != name or len(name) > LONGEST]:
            raise ValueError(f"its entry 'files' contains {foreign[0][:LONGEST]!r}, which is not a file name")
        threads, cores = _parse_threads(content.get("threads")), content.get("cores")
        if cores is not None and not _is_number(cores):
            raise ValueError("its entry 'cores' is of another type")
        return cls(made_of, model, files, threads, cores)


def _parse_threads(content: Any) -> Mapping[str, Any] | None:
    """Return the number of threads; its values are checked, as they decide how many threads are started."""
    if content is None:
        return None
    most = content.get("most") if isinstance(content, dict) else None
    if not _is_number(most) or not isinstance(content.get("exact"), bool):
        raise ValueError("its entry 'threads' is of another type")
    return content


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 < value <= MAX_THREADS


def _checksum(content: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(content).encode())


def recorded_threads(folder: Path, names: Sequence[str] = (RECORD,)) -> Threads | None:
    """Return the number of threads of an unfinished run, by the first of its records that exists; None if unknown."""
    record = _first_record(folder, names)
    return Threads.from_json(record.threads) if record and record.threads else None


def recorded_cores(folder: Path, names: Sequence[str] = (RECORD,)) -> int | None:
    """Return the number of cores of the run in a folder, by the first of its records that exists; None if unknown."""
    record = _first_record(folder, names)
    return record.cores if record else None


def _first_record(folder: Path, names: Sequence[str]) -> RunRecord | None:
    with suppress(ArtifactError):
        return next(filter(None, (RunRecord.read(folder, name) for name in names)), None)
    return None


def hash_model(model: Path) -> str:
    """Return a hash of the model in a folder; empty if there is no model."""
    return hash_file(model / MANIFEST)


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
        ArtifactError: its record is damaged.
    """
    if overwrite or not holds:
        return State.NEW
    record = RunRecord.read(folder)
    if record is None:
        rule = "a run can only be continued if its folder records its settings and data"
        raise ConfigError("the folder holds a run of an earlier version", place=str(folder), rule=rule, cure=CURE)
    finished = model is not None and record.model != "" and record.model == hash_model(model)
    # The weights of a finished model do not depend on the order of the columns any more.
    found = differences(record.made_of, made_of, [ORDER] if finished or model is None else [])
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        told = f"the folder holds another run: {'; '.join(found[:SHOWN])}{more}"
        raise ConfigError(told, place=str(folder), rule="one run per folder", cure=CURE)
    return State.FINISHED if finished else State.UNFINISHED
