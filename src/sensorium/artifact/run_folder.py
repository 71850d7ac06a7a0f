"""The folder of a run: the model and the record of its training.

model/            the saved model; during training, the best model so far
checkpoint.safetensors  the state of an unfinished training, from which --resume continues
checkpoint-restart.safetensors  the same of the second training of a network that predicted a constant
run.json          the identity of the run, and whether it is finished
config.yaml       the settings, with their defaults
split.parquet     row → split
history.json      training history, epoch by epoch
metrics.json      validation and test metrics, with intervals
predictions.parquet  predictions for validation and test rows, with the truth and the columns that have a value
problems.jsonl    cells, rows and columns with a problem
search.json       with a budget: all trials, and the chosen models
search.journal    with a budget, until the search is finished: the state from which a killed search is resumed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from sensorium.artifact.run_record import (
    PENDING,
    RECORD,
    RunRecord,
    State,
    hash_model,
    recorded_cores,
    recorded_threads,
    settle,
)
from sensorium.artifact.save import check_place, save_fitted, sweep_model, write_file
from sensorium.config import Config, dump_yaml
from sensorium.errors import ArtifactError, ConfigError
from sensorium.files import CURE, check_apart, check_outside_models, is_model, sweep
from sensorium.files.hashes import hash_file
from sensorium.files.identity import differences
from sensorium.model import FittedModel
from sensorium.runtime.threads import Threads
from sensorium.train import Checkpoint
from sensorium.train.tree import FORMAT as CHECKPOINT_FORMAT

CHECKPOINT = "checkpoint.safetensors"
RESTART = Checkpoint(Path(CHECKPOINT)).of_restart().path.name
JOURNAL = "search.journal"
MARK = b"# Written by Sensorium: the settings of this run, defaults filled in.\n"
SETTINGS = "config.yaml"
PREDICTIONS = "predictions.parquet"
OF_EVERY_RUN = (SETTINGS, "split.parquet", "history.json", "metrics.json", PREDICTIONS, "problems.jsonl")
OF_THE_MODEL = (*OF_EVERY_RUN, "search.json", RECORD)


def check_folder(folder: Path, **inputs: Any) -> None:
    """Check, before training, that a run in this folder replaces neither its inputs nor other files.

    Args:
        folder: folder of the run.
        inputs: kind of input (`table`, `model`, `config`) → its path.

    Raises:
        ConfigError: the run would replace one of them.
    """
    files = [folder / name for name in (*OF_THE_MODEL, CHECKPOINT, RESTART, JOURNAL)]
    check_outside_models(folder / "model")
    check_apart([folder / "model"], model=inputs.pop("model", None))
    settled = _has_settings(folder)
    if settled:  # it may begin anew from its own settings
        inputs.pop("config", None)
    check_apart(files, **inputs)
    blocked = [file.name for file in files if file.exists() and not file.is_file()]
    if blocked:
        rule, cure = "a run writes files of these names", "choose another folder, or move them away"
        raise ConfigError(f"not a file: {', '.join(blocked)}", place=str(folder), rule=rule, cure=cure)
    found = [file.name for file in files if file.is_file()]
    if _is_run(folder):  # one that a model was copied or saved into may hold settings of another hand
        of_others = [] if settled else [SETTINGS]
        # Earlier versions wrote no predictions: a file of that name is the user's.
        if not _are_answers(folder / PREDICTIONS, if_damaged=_is_listed(folder, PREDICTIONS)):
            of_others.append(PREDICTIONS)
        found = [name for name in found if name in of_others]
    if found:
        raise ConfigError(
            f"the folder holds files that no run has written: {', '.join(found)}",
            place=str(folder),
            rule="a run writes files of these names",
            cure="choose another folder, or move them away",
        )


def check_not_of_a_run(output: Path) -> None:
    """Check, before training, that an output does not replace a file of a run.

    Raises:
        ConfigError: the output would replace such a file.
    """
    if output.name in (*OF_THE_MODEL, CHECKPOINT, RESTART, JOURNAL) and output.exists() and _is_run(output.parent):
        rule = "a run writes a file of this name"
        raise ConfigError("the output would replace a file of the run", place=str(output), rule=rule, cure=CURE)


def _is_run(folder: Path) -> bool:
    """Return whether the folder is that of a run; a killed run may have left only a model, checkpoint or journal."""
    if is_model(folder / "model") or _begins(folder / JOURNAL, b'"op_code"'):
        return True
    if _begins(folder / CHECKPOINT, CHECKPOINT_FORMAT.encode()):
        return True
    return _has_settings(folder)


def _is_listed(folder: Path, name: str) -> bool:
    """Return whether the record of a run, if it can be read, names a file: then a damaged file is one of the run."""
    with suppress(ArtifactError):
        record = RunRecord.read(folder)
        return record is not None and name in record.files
    return False


def _are_answers(path: Path, if_damaged: bool) -> bool:
    try:
        return parquet.read_schema(path).names[:2] in (["row", "split"], [])
    except FileNotFoundError:
        return False
    except (OSError, pa.ArrowException):
        return if_damaged


def _has_settings(folder: Path) -> bool:
    """Return whether `config.yaml` is that of a run, by its first line or (earlier versions) by the split."""
    try:
        with (folder / SETTINGS).open("rb") as stream:
            if stream.read(len(MARK)) == MARK:
                return True
        return parquet.read_schema(folder / "split.parquet").names == ["row", "split"]
    except (OSError, pa.ArrowException):
        return False


def _begins(path: Path, mark: bytes) -> bool:
    """Return whether the mark is in the first megabyte of a file, or the file is empty."""
    try:
        with path.open("rb") as stream:
            head = stream.read(2**20)
    except OSError:
        return False
    return mark in head or not head


class Run:
    """Writer of a run's folder; it replaces files of an earlier run and keeps all other files.

    An earlier run remains unchanged until this run has a model. From then on, all files in the folder describe the
    model in it, even if the process is killed.

    Raises:
        ArtifactError: the folder cannot be created or written to, or its `model` is not a model.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before: Mapping[str, bytes] | None = None
        self._made_of: Mapping[str, Any] = {}
        self._threads: Threads | None = None
        self._cores: int | None = None
        self._replaces = False
        check_place(self.model)
        self._sweep()

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def checkpoint(self) -> Path:
        """Path of the checkpoint."""
        return self.folder / CHECKPOINT

    def settle(self, made_of: Mapping[str, Any], *, overwrite: bool = False, resume: bool = False) -> State:
        """Return the state of the run in the folder.

        Args:
            made_of: identity of the run: settings, versions, hashes of the data.
            overwrite: replace an earlier run, once the new model is complete.
            resume: continue from a checkpoint, which identifies its run.

        Raises:
            ConfigError: the folder holds another run, and neither `overwrite` nor `resume` is set.
            ArtifactError: the record of the run is damaged.
        """
        holds = self.model.exists() or self.checkpoint.exists()
        self._made_of, self._replaces = made_of, overwrite and self.model.exists()
        again = overwrite and self._is_pending(made_of)
        if (resume or again) and self.checkpoint.exists():
            return State.UNFINISHED
        return settle(self.folder, made_of, holds=holds, overwrite=overwrite, model=self.model)

    def find_cores(self, *, overwrite: bool = False, resume: bool = False) -> int | None:
        """Return the number of cores that the run to be continued recorded, before its state is known; None if unknown.

        Args:
            overwrite, resume: as in `settle`.
        """
        return recorded_cores(self.folder, (PENDING,) if overwrite else (PENDING, RECORD) if resume else (RECORD,))

    def settle_threads(self, own: Threads, state: State, *, cores: int | None = None) -> Threads:
        """Return the number of threads of the run, which its record keeps: that of the run that is continued, if any.

        Args:
            own: the number for a run that starts now.
            state: state of the run, as `settle` returned it.
            cores: the number of cores of the plan, to be recorded beside it.
        """
        recorded = recorded_threads(self.folder, (PENDING, RECORD)) if state is State.UNFINISHED else None
        self._threads, self._cores = recorded or own, cores
        return self._threads

    def _record(self, model: str = "", files: Mapping[str, str] = MappingProxyType({})) -> bytes:
        threads = self._threads.to_json() if self._threads else None
        return RunRecord(self._made_of, model, files, threads, self._cores).to_json()

    def _is_pending(self, made_of: Mapping[str, Any]) -> bool:
        """Return whether this run was to replace the earlier one, and was stopped."""
        with suppress(ArtifactError):
            pending = RunRecord.read(self.folder, PENDING)
            return pending is not None and not differences(pending.made_of, made_of)
        return False

    @property
    def keep(self) -> Callable[[FittedModel], None] | None:
        """Return the function that saves the best model so far; None to keep an earlier model until the end."""
        return None if self._replaces else self.save_model

    def save_model(self, fitted: FittedModel) -> None:
        """Save a model. The first one replaces the model of an earlier run, and the files known before training."""
        if self._before is not None:
            for name in OF_THE_MODEL:
                (self.folder / name).unlink(missing_ok=True)
        save_fitted(fitted, self.model)
        self._save_before()

    def save_before(self, files: Mapping[str, bytes]) -> None:
        """Save the files known before training (name → content); if there is an earlier model, wait for the new one."""
        record = self._record()
        self._before = {**files, RECORD: record}
        if not self.model.exists():
            self._save_before()
        elif self._replaces:
            write_file(self.folder / PENDING, record)

    def save_result(self, fitted: FittedModel, files: Mapping[str, bytes]) -> None:
        """Save the final model and the files known after training (name → content)."""
        self.save_model(fitted)
        for name, content in files.items():
            write_file(self.folder / name, content)
        self._record_files()
        for path in (self.checkpoint, self.folder / RESTART, self.folder / PENDING):
            path.unlink(missing_ok=True)

    def _record_files(self) -> None:
        """Record that the run is finished, with the hashes of its files."""
        hashes = {name: hashed for name in OF_THE_MODEL if (hashed := hash_file(self.folder / name)) and name != RECORD}
        write_file(self.folder / RECORD, self._record(hash_model(self.model), hashes))

    def check_files(self) -> None:
        """Check that the files of the finished run are there, and that they are those that the run wrote.

        The settings may be edited. A record of an earlier version has no hashes: the files must be there.

        Raises:
            ArtifactError: a file is missing or changed.
        """
        record = RunRecord.read(self.folder)
        recorded = dict(record.files) if record and record.files else dict.fromkeys(OF_EVERY_RUN, "")
        found = {name: hash_file(self.folder / name) for name in recorded}
        faults = [f"{name} is missing" for name, hashed in found.items() if not hashed]
        changed = [name for name, hashed in found.items() if hashed and recorded[name] not in ("", hashed)]
        faults += [f"{name} has changed" for name in changed if name != SETTINGS]
        if faults:
            raise ArtifactError(
                f"the run is finished, but {', '.join(faults)}",
                place=str(self.folder),
                rule="a finished run can be used again only if its files are unchanged",
                cure="restore these files from a copy, or train again with --overwrite (Python: overwrite=True); the "
                "model can still be loaded",
            )

    def _save_before(self) -> None:
        for name, content in (self._before or {}).items():
            write_file(self.folder / name, content)
        self._before = None

    def _sweep(self) -> None:
        """Remove unfinished files of a killed run."""
        sweep_model(self.model)
        for name in (*OF_THE_MODEL, CHECKPOINT, RESTART):
            sweep(self.folder / name)


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as the content of a Parquet file."""
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def yaml_bytes(config: Config) -> bytes:
    """Return settings as the content of a run's `config.yaml`."""
    return MARK + dump_yaml(config.model_dump(mode="json")).encode()
