"""Open the trackers that a fit writes to."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from sensorium.errors import ConfigError, MissingExtraError, SensoriumError, raise_together
from sensorium.registry import Entry, trackers
from sensorium.runtime.events import Callback


def open_trackers(names: str | Sequence[str], folder: str | Path | None) -> list[Callback]:
    """Make the trackers; they write nothing before a training starts.

    Args:
        names: registered name or names.
        folder: of the fit.

    Raises:
        UnknownNameError: a tracker is not registered.
        ConfigError: no output folder is given.
        MissingExtraError: a package that a tracker needs is not installed.
    """
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names))
    entries = [trackers.entry(name) for name in chosen]
    if entries and folder is None:
        raise ConfigError("tracking needs an output folder", place="track", cure="out=FOLDER")
    faults: list[SensoriumError] = [fault for entry in entries if (fault := _missing(entry))]
    raise_together(faults)
    return [entry.load()(Path(folder or "").absolute()) for entry in entries]


def _missing(entry: Entry) -> MissingExtraError | None:
    """Return the error if a package of the tracker is not installed."""
    missing = [package for package in entry.literal("PACKAGES", ()) if find_spec(package) is None]
    if not missing:
        return None
    own = entry.module.startswith(f"{trackers.package}.")
    cure = f"pip install 'sensorium[{entry.name}]'" if own else f"pip install {' '.join(missing)}"
    return MissingExtraError(f"track {entry.name!r} needs {' and '.join(missing)}", place="track", cure=cure)
