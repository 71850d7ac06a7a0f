"""Folder of a comparison: its record, and the check that it holds no other run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sensorium.artifact import write_file
from sensorium.artifact.run_record import RECORD as RUN_RECORD
from sensorium.artifact.run_record import RunRecord, State, recorded_threads, settle
from sensorium.errors import ArtifactError, ConfigError
from sensorium.files import check_apart, check_outside_models
from sensorium.runtime.threads import Threads
from sensorium.trials import forget_trials, has_trials

RECORD = "comparison.json"


def check_folder(folder: Path, **inputs: Any) -> None:
    """Check that a comparison in this folder overwrites neither its inputs nor a file of another origin.

    Args:
        folder: the folder of the comparison.
        inputs: kind of input (`table`, `config`) → its path.

    Raises:
        ConfigError: the comparison would overwrite such a file.
    """
    record = folder / RECORD
    check_outside_models(record)
    check_apart([record], **inputs)
    if record.is_file() and not _is_record(record):
        cure = "choose another folder, or move the file"
        raise ConfigError(f"{RECORD} was not written by a comparison", place=str(folder), cure=cure)


def settle_folder(
    folder: Path, made_of: Mapping[str, Any], *, threads: Threads, cores: int, overwrite: bool
) -> Threads:
    """Check that the folder holds no other comparison, and record the identity of this one.

    Args:
        folder: the folder of the comparison.
        made_of: identity of the table and the settings, without the compared models and seeds.
        threads: the number of threads for a comparison that starts now.
        cores: the number of cores of the plan.
        overwrite: whether to replace another comparison.

    Returns:
        The number of threads: that of the comparison that is continued, if any.

    Raises:
        ConfigError: the folder holds another comparison, or the run of a fit.
        ArtifactError: its record is damaged.
    """
    record = _record_in(folder, overwrite)
    if record and record.made_of.get("command") == "fit":
        cure = "choose another folder: --out (Python: out=)"
        raise ConfigError("the folder holds the run of a fit", place=str(folder), rule="one run per folder", cure=cure)
    holds = (folder / RECORD).is_file() or has_trials(folder)
    state = settle(folder, made_of, holds=holds, overwrite=overwrite, model=None)
    if overwrite:  # nothing may tell of the earlier comparison beside the record of this one
        (folder / RECORD).unlink(missing_ok=True)
        forget_trials(folder)
    if state is State.NEW:
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / RUN_RECORD, RunRecord(made_of, threads=threads.to_json(), cores=cores).to_json())
        return threads
    return recorded_threads(folder) or threads


def _record_in(folder: Path, overwrite: bool) -> RunRecord | None:
    try:
        return RunRecord.read(folder)
    except ArtifactError:
        if overwrite:
            return None
        raise


def _is_record(file: Path) -> bool:
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {"results", "verdict"} <= {*record}
