"""Write checkpoints of a training, and resume from them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sensorium.errors import TrainingError
from sensorium.files.identity import differences, flatten
from sensorium.runtime.progress import Reporter
from sensorium.train.interrupt import Interrupted, Stop
from sensorium.train.state import State
from sensorium.train.tree import read_about, read_tree, write_tree

SHARE = 0.05  # of the time that may go into checkpoints between epochs; the first epoch always has one
RESTART = "-restart"  # in the name of the checkpoint of a second training
IGNORED_ON_RESUME = ("train.checkpoint", "prepare.store", "prepare.identify", "prepare.max_gigabytes")


@dataclass(frozen=True)
class Checkpoint:
    """File that an unfinished run is resumed from.

    Args:
        path: path of the file.
        resume: whether to resume from it.
        made_of: identity of the run: names, settings and hashes that a resumed run must share, as JSON values.
        before: result of pre-training, as JSON values.
    """

    path: Path
    resume: bool = False
    made_of: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None

    @property
    def resumes(self) -> bool:
        """Return whether resuming was requested and there is a run to resume."""
        return self.resume and self.path.exists()

    def kept_before(self) -> dict[str, Any] | None:
        """Return the result of pre-training in the run that is resumed.

        Raises:
            TrainingError: the checkpoint belongs to another run, or the file is damaged.
        """
        self.check()
        before: dict[str, Any] | None = read_about(self.path)["before"]
        return before

    def of_restart(self) -> Checkpoint:
        """Return the checkpoint of the second training of a network that collapsed, in a file beside this one."""
        path = self.path.with_name(f"{self.path.stem}{RESTART}{self.path.suffix}")
        return Checkpoint(path, self.resume and path.exists())

    def forget(self) -> None:
        """Delete the file: the run is complete."""
        self.path.unlink(missing_ok=True)

    def check(self) -> None:
        """Check that the checkpoint belongs to this run.

        Raises:
            TrainingError: the checkpoint belongs to another run, or the file is damaged.
        """
        then, now = (flatten(made, IGNORED_ON_RESUME) for made in (read_about(self.path)["made_of"], self.made_of))
        found = differences(then, now)
        if found:
            raise TrainingError(
                f"the checkpoint belongs to another run: {'; '.join(found)}",
                place=str(self.path),
                rule="the same table, files and settings",
                cure="use the same ones, or start a new run: the same command without --resume",
            )


class Keeper:
    """Writer of the state of a training to its checkpoint, if it has one.

    Args:
        state: state of the training.
        checkpoint: the checkpoint file.
    """

    def __init__(self, state: State, checkpoint: Checkpoint | None) -> None:
        self._state = state
        self._every = state.config.checkpoint
        self._checkpoint = checkpoint if self._every is not None else None
        self._stop = Stop()
        self._last, self._cost = time.monotonic(), 0.0

    def resume(self, checkpoint: Checkpoint | None, report: Reporter) -> None:
        """Restore the state, if resuming was requested and there is a checkpoint.

        Raises:
            TrainingError: the checkpoint belongs to another run, or is damaged.
        """
        if not (checkpoint and checkpoint.resume):
            return
        if not checkpoint.path.exists():
            report.log(f"nothing to resume: {checkpoint.path} does not exist; training starts from the beginning")
            return
        checkpoint.check()
        self._state.restore(read_tree(checkpoint.path))
        report.log(f"resumed {self._where()}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this block, Ctrl-C, SIGTERM and SIGHUP take effect after a checkpoint is written."""
        if self._checkpoint:
            with self._stop.watching():
                yield
        else:
            yield

    def after_step(self) -> None:
        """Write a checkpoint if it is due, or if a signal arrived.

        Raises:
            Interrupted: a signal arrived; the checkpoint is written.
        """
        if self._checkpoint and self._every is not None:
            self._keep(self._checkpoint, time.monotonic() - self._last >= self._every)

    def after_epoch(self) -> None:
        """Write a checkpoint, unless checkpoints take too large a share of the time.

        Raises:
            Interrupted: a signal arrived; the checkpoint is written.
        """
        if self._checkpoint and self._every is not None:
            self._keep(self._checkpoint, time.monotonic() - self._last >= min(self._every, self._cost / SHARE))

    def _keep(self, checkpoint: Checkpoint, due: bool) -> None:
        if due or self._stop.signal:
            start = time.monotonic()
            write_tree(checkpoint.path, self._about(checkpoint), self._state.to_tree())
            self._last = time.monotonic()
            self._cost = self._last - start
        if self._stop.signal:
            raise Interrupted(f"stopped {self._where()}; {checkpoint.path} holds the state", self._stop.signal)

    def _about(self, checkpoint: Checkpoint) -> dict[str, Any]:
        return {"made_of": checkpoint.made_of, "where": self._where(), "before": checkpoint.before}

    def _where(self) -> str:
        place = self._state.place
        if place.batches:
            return f"in epoch {place.epoch} of {self._state.context.epochs}, after {place.batches} batches"
        return f"after epoch {place.epoch - 1} of {self._state.context.epochs}"
