"""When a run's state is written down, and how a run is taken up from it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sensorium.errors import TrainingError
from sensorium.runtime.progress import Reporter
from sensorium.train.interrupt import Interrupted, Stop
from sensorium.train.state import State
from sensorium.train.tree import read_about, read_tree, write_tree

SHARE = 0.05  # of the time that may go into checkpoints between epochs; the first epoch always has one
HASH = "hash"  # group of what a run is made of: hashes
IGNORED_ON_RESUME = ("train.checkpoint", "prepare.store", "prepare.identify", "prepare.max_gigabytes")


@dataclass(frozen=True)
class Checkpoint:
    """The file that an unfinished run is taken up from.

    Args:
        path: of the file.
        resume: go on from it.
        made_of: what a run must have in common with it: names, settings, hashes, as JSON values.
        before: what the stage before training came to, as JSON values; kept with its state.
    """

    path: Path
    resume: bool = False
    made_of: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None

    @property
    def taken_up(self) -> bool:
        """Is there a run to go on with, and is that asked for?"""
        return self.resume and self.path.exists()

    def kept_before(self) -> dict[str, Any] | None:
        """What the stage before training came to in the run that is taken up.

        Raises:
            TrainingError: it is another one, or the file is damaged.
        """
        self.check()
        before: dict[str, Any] | None = read_about(self.path)["before"]
        return before

    def unfinished(self) -> str:
        """Where the run that is kept here stopped, in words; empty where there is none."""
        return str(read_about(self.path)["where"]) if self.path.exists() else ""

    def forget(self) -> None:
        """The run is over."""
        self.path.unlink(missing_ok=True)

    def check(self) -> None:
        """Is it this run that is kept?

        Raises:
            TrainingError: it is another one, or the file is damaged.
        """
        then = _settings(read_about(self.path)["made_of"])
        now = _settings(self.made_of)
        names = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
        found = [_difference(name, then.get(name), now.get(name)) for name in names]
        if found:
            raise TrainingError(
                f"the run to be resumed is another one: {'; '.join(found)}",
                place=str(self.path),
                rule="the same table, files and settings",
                cure="give them as they were, or start a new run: the same command without --resume",
            )


class Keeper:
    """Keeps a run's state in its checkpoint, if it has one.

    Args:
        state: what is kept.
        checkpoint: where.
    """

    def __init__(self, state: State, checkpoint: Checkpoint | None) -> None:
        self._state = state
        self._every = state.config.checkpoint
        self._checkpoint = checkpoint if self._every is not None else None
        self._stop = Stop()
        self._last, self._cost = time.monotonic(), 0.0

    def resume(self, checkpoint: Checkpoint | None, report: Reporter) -> None:
        """Take the run up, if that was asked for and there is something to take up.

        Raises:
            TrainingError: what is kept is another run, or damaged.
        """
        if not (checkpoint and checkpoint.resume):
            return
        if not checkpoint.path.exists():
            report.log(f"nothing to resume: there is no {checkpoint.path}; training starts afresh")
            return
        checkpoint.check()
        self._state.restore(read_tree(checkpoint.path))
        report.log(f"resumed {self._where()}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, Ctrl-C, SIGTERM and SIGHUP wait for a checkpoint."""
        if self._checkpoint:
            with self._stop.watching():
                yield
        else:
            yield

    def after_step(self) -> None:
        """Write, if it is time to.

        Raises:
            Interrupted: a signal came; the state is kept.
        """
        if self._checkpoint and self._every is not None:
            self._keep(self._checkpoint, time.monotonic() - self._last >= self._every)

    def after_epoch(self) -> None:
        """Write, unless it would take too large a share of the time.

        Raises:
            Interrupted: a signal came; the state is kept.
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
            raise Interrupted(f"stopped {self._where()}; {checkpoint.path} is kept", self._stop.signal)

    def _about(self, checkpoint: Checkpoint) -> dict[str, Any]:
        return {"made_of": checkpoint.made_of, "where": self._where(), "before": checkpoint.before}

    def _where(self) -> str:
        place = self._state.place
        if place.batches:
            return f"in epoch {place.epoch} of {self._state.epochs}, after {place.batches} batches"
        return f"after epoch {place.epoch - 1} of {self._state.epochs}"


def _difference(name: str, then: Any, now: Any) -> str:
    """In words; hashes tell a person nothing."""
    group, _, what = name.partition(".")
    return f"the {what} is not what it was" if group == HASH else f"{name} was {then}, is {now}"


def _settings(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Dotted names → values, less the settings that change no bit of the result."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            found |= _settings(value, f"{name}.")
        elif name not in IGNORED_ON_RESUME:
            found[name] = value
    return found
