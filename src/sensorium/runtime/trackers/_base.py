"""The base class of trackers."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sensorium.runtime.events import Callback, EpochEnd, FitEnd, FitStart


class Tracker(Callback):
    """Callback that writes one tracker run per training into the folder of the fit.

    The file of a tracker names the packages that it imports, as a literal; they are imported when a training starts:

        PACKAGES = ("tensorboard",)

    Args:
        folder: absolute path of the folder of the fit; a tracker writes into a subfolder of its own name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = dict[str, int]()

    def on_fit_start(self, event: FitStart) -> None:
        self.start(self._run_name(event), _flat(event.settings) | _sizes(event))

    def on_epoch_end(self, event: EpochEnd) -> None:
        self.log(_metrics(event), event.epoch)

    def on_fit_end(self, event: FitEnd) -> None:
        self.end(event)

    @abstractmethod
    def start(self, name: str, settings: Mapping[str, Any]) -> None:
        """Start a tracker run.

        Args:
            name: unique name of the run within this fit.
            settings: dotted name → JSON value.
        """

    @abstractmethod
    def log(self, metrics: Mapping[str, float], epoch: int) -> None:
        """Write the metrics of an epoch: `train/loss`, `validation/accuracy` … → finite value."""

    @abstractmethod
    def end(self, event: FitEnd) -> None:
        """End the tracker run; not called if `start` failed."""

    def _run_name(self, event: FitStart) -> str:
        """Return the trial's name, with stage and number if needed: a search trains a candidate several times."""
        name = event.trial if event.stage == "training" else f"{event.trial} {event.stage}"
        self._names[name] = count = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name} {count}"


def _metrics(event: EpochEnd) -> dict[str, float]:
    found = {
        "train/loss": event.train_loss,
        "train/learning_rate": event.learning_rate,
        "train/seconds": event.seconds,
        "train/rows_per_second": event.rows_per_second,
        **{f"validation/{name}": value for name, value in event.validation_metrics.items()},
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _sizes(event: FitStart) -> dict[str, int]:
    return {"train_rows": event.train_rows, "validation_rows": event.validation_rows}


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Flatten nested settings to dotted names."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{above}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, Mapping) and value else {name: value}
    return found
