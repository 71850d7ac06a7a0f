"""TensorBoard event files: `tensorboard --logdir RUN/tensorboard` shows them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sensorium.runtime.events import FitEnd
from sensorium.runtime.trackers._base import Tracker

PACKAGES = ("tensorboard",)
UNSAFE = re.compile(r"[^\w.,=+-]+")  # in a file name


class TensorBoard(Tracker):
    """Tracker for TensorBoard: `RUN/tensorboard/START_TIME/TRIAL/events.out.tfevents…`, with the settings as text."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._logs = folder / "tensorboard" / time.strftime("%Y-%m-%d_%H-%M-%S")
        self._writer: Any = None

    def start(self, name: str, settings: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self._logs / UNSAFE.sub("_", name)))
        lines = [f"    {key}: {json.dumps(value)}" for key, value in settings.items()]
        self._writer.add_text("settings", "\n".join(lines))
        self._writer.flush()

    def log(self, metrics: Mapping[str, float], epoch: int) -> None:
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def end(self, event: FitEnd) -> None:
        if self._writer:
            self._writer.add_text("outcome", f"{event.outcome}; best epoch {event.best_epoch}", event.epochs_done)
            self._writer.close()
            self._writer = None
