"""Record of an Optuna study in a file of JSON lines, so that an interrupted search can resume."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensorium.files.hashes import hash_json
from sensorium.strategies._search._space import RATES, Space

if TYPE_CHECKING:
    import optuna

STUDY = "search"
MARK = ".sensorium"  # of a lock's name: a file of this name is ours to remove
STARTUP = 10  # candidates before the tree-structured Parzen estimator takes over


class Journal:
    """Optuna study whose attributes hold the rest of the state of a search.

    Args:
        space: the search space.
        identity: identity of the table and the settings.
        seed: random seed of the sampler.
        path: a file of JSON lines; without it, the study is kept in memory.

    Attributes:
        replaced: whether the file held another search.

    """

    def __init__(self, space: Space, identity: Mapping[str, Any], seed: int, path: Path | None) -> None:
        self.space, self.seed, self.replaced = space, seed, False
        mark = hash_json(identity)
        self._study = _open_study(path)
        if self._get("identity") not in (None, mark):
            assert path is not None
            path.unlink()
            self._study, self.replaced = _open_study(path), True
        self._set("identity", mark)

    def ask(self, number: int, first: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the choices of one candidate, sampled by the tree-structured Parzen estimator (Bergstra et al. 2011).

        Args:
            number: number of the candidate, from 0; repeated calls return the same choices.
            first: fixed choices, which replace those of the sampler.
        """
        import optuna

        known = self._study.trials
        if self.was_asked(number):
            return self.space.plain | known[number].params
        if number >= len(known) and first is not None:
            self._study.enqueue_trial(dict(first))
        # One sampler per candidate, so that a resumed search draws the same choices as an uninterrupted one.
        self._study.sampler = optuna.samplers.TPESampler(seed=_mix(self.seed, number), n_startup_trials=STARTUP)
        return self.space.plain | self._study.ask(_distributions(self.space)).params

    def was_asked(self, number: int) -> bool:
        """Return whether a candidate has its choices already."""
        import optuna

        known = self._study.trials
        return number < len(known) and known[number].state != optuna.trial.TrialState.WAITING

    def tell(self, number: int, value: float | None) -> None:
        """Record the metric of a candidate at the first rung; None if its training failed."""
        import optuna

        if self._study.trials[number].state == optuna.trial.TrialState.RUNNING:
            failed = optuna.trial.TrialState.FAIL
            self._study.tell(number, value, state=failed if value is None else None)

    def note(self, key: str, value: Any) -> None:
        """Store a JSON value for a resumed search."""
        self._set(key, value)

    def noted(self, key: str) -> Any:
        """Return a stored value; None if there is none."""
        return self._get(key)

    def _get(self, key: str) -> Any:
        return self._study.user_attrs.get(key)

    def _set(self, key: str, value: Any) -> None:
        self._study.set_user_attr(key, value)


def _open_study(path: Path | None) -> optuna.Study:
    import optuna  # `Search.check_installed` has asked for it

    with _quiet(optuna):
        return optuna.create_study(storage=_storage(path), study_name=STUDY, direction="maximize", load_if_exists=True)


def _storage(path: Path | None) -> Any:
    if path is None:
        return None
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    if path.is_symlink():
        path.unlink()  # what it leads to is not ours to write
    _drop_half_a_line(path)
    marked = _lock_name(path)
    _remove_locks(path)
    return JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(marked))))


def forget_journal(path: Path) -> None:
    """Remove the file of a search that is finished, and what a killed process left beside it."""
    path.unlink(missing_ok=True)
    _remove_locks(path)


def _lock_name(path: Path) -> Path:
    return path.with_name(f".{path.name}{MARK}")  # Optuna puts a suffix to it


def _remove_locks(path: Path) -> None:
    """Remove locks of a process that was killed while it wrote: a run has one writer."""
    for lock in path.parent.iterdir():
        if lock.name.startswith(_lock_name(path).name):
            lock.unlink()


def _drop_half_a_line(path: Path) -> None:
    """Drop an incomplete last line, which an interrupted process leaves and Optuna cannot read."""
    if path.exists():
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)  # not written anew: a second kill would take all of it


def _distributions(space: Space) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    found: dict[str, Any] = {name: CategoricalDistribution(values) for name, values in space.names.items()}
    if space.rate is not None:
        low, high = RATES
        found["learning_rate"] = FloatDistribution(min(low, space.rate), max(high, space.rate), log=True)
    return found


def _mix(seed: int, number: int) -> int:
    return (seed * 1_000_003 + number) % 2**32


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Silence the log messages of Optuna within a `with` block."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
