"""Run trials in worker processes."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sensorium.errors import ConfigError, TrainingError
from sensorium.files import scratch_folder
from sensorium.planning import PreparedTable
from sensorium.registry.failures import explain_member_errors
from sensorium.runtime.processes import apart, end_with_parent, without_stderr
from sensorium.runtime.progress import Silent
from sensorium.runtime.thread_environment import PASSIVE, choose_variables
from sensorium.trials._result import Control, TrialResult
from sensorium.trials._runner import InProcess, Runner, Started
from sensorium.trials._spec import TrialSpec
from sensorium.trials._trial import run_trial

PREFIX = "sensorium-trials-"  # of temporary folders
LARGE = 2**20  # bytes from which on an array is handed over as a file that all workers map
KILLED = "a worker process was killed before its trial finished, often because memory ran out"
CURE = "workers=1, fewer workers at a time, or more memory; with out=FOLDER, finished trials are not run again"

_data: PreparedTable | None = None  # of a worker process
_failure = ""  # of a worker process: why it has no table


def choose_runner(data: PreparedTable, workers: int) -> Runner:
    """Return a runner that uses this process, or a number of worker processes."""
    return InProcess(data) if workers == 1 else WorkerProcesses(data, workers)


def check_workers(workers: int, *, stream: bool, device: str) -> None:
    """Check that trials can run in worker processes.

    Raises:
        ConfigError: workers would have to share streamed cells or an accelerator.
    """
    if workers > 1 and stream:
        cure = "workers=1, or prepare.stream: false"
        raise ConfigError("worker processes cannot share streamed cells", place="workers", cure=cure)
    if workers > 1 and device != "cpu":
        raise ConfigError(f"worker processes cannot share {device}", place="workers", cure="workers=1, or device: cpu")


@dataclass(frozen=True)
class WorkerProcesses:
    """Runner of several trials in parallel, with the same results as in one process.

    Each trial uses as many threads as in this process, so that sums are computed in the same order; threads that wait
    sleep. All workers memory-map the arrays of the table.

    Args:
        data: the table.
        workers: number of processes.
    """

    data: PreparedTable
    workers: int

    def run(self, specs: Iterable[TrialSpec], control: Control, started: Started) -> Iterator[TrialResult]:
        """Run all trials; idle workers take the next spec.

        Raises:
            TrainingError: a worker process was killed.
        """
        specs = list(specs)
        if not specs:
            return
        with scratch_folder(PREFIX) as folder:
            yield from self._run(specs, control, started, folder)

    def _run(
        self, specs: Sequence[TrialSpec], control: Control, started: Started, folder: Path
    ) -> Iterator[TrialResult]:
        import loky

        quiet = replace(control, report=Silent(), keep=None, checkpoint=None, callbacks=())
        try:
            with apart(), without_stderr():
                pool = self._open(folder, len(specs))
                futures = [pool.submit(_run, spec, quiet) for spec in specs]
            try:
                for spec, future in zip(specs, futures, strict=True):
                    started(spec)
                    yield future.result()
            finally:
                pool.shutdown(wait=True, kill_workers=not all(future.done() for future in futures))
        except loky.BrokenProcessPool:
            raise TrainingError(KILLED, cure=CURE) from None

    def _open(self, folder: Path, trials: int) -> Any:
        """Return a pool of processes that hold the table."""
        import loky

        return loky.ProcessPoolExecutor(
            min(self.workers, trials),
            env=choose_variables(PASSIVE),
            initializer=_receive,
            initargs=(_pack(self.data, folder), os.getpid()),
        )


def _run(spec: TrialSpec, control: Control) -> TrialResult:
    if _data is None:
        raise ConfigError(f"a worker process cannot load the table: {_failure}", place="workers", cure="workers=1")
    with explain_member_errors():
        return run_trial(_data, spec, control)


def _receive(content: bytes, parent: int) -> None:
    """Load the table in a worker process."""
    global _data, _failure
    end_with_parent(parent)
    try:
        _data = pickle.loads(content)
    except Exception as error:  # noqa: BLE001 - such as a module of the user's that cannot be imported there
        _failure = f"{type(error).__name__}: {error}"


def _pack(data: PreparedTable, folder: Path) -> bytes:
    """Write the large arrays of the table to files in the folder, and return what a worker needs to load it."""
    import cloudpickle  # type: ignore[import-untyped]

    class Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, np.ndarray) and value.nbytes >= LARGE and not value.dtype.hasobject:
                path = folder / f"{len(list(folder.iterdir()))}.npy"
                np.save(path, np.asarray(value), allow_pickle=False)
                return np.load, (str(path), "c")  # copy-on-write
            return super().reducer_override(value)

    stream = io.BytesIO()
    try:
        Pickler(stream).dump(data)
    except (TypeError, AttributeError, pickle.PicklingError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"the table cannot be handed to worker processes: {reason}", place="workers", cure="workers=1"
        ) from error
    return stream.getvalue()
