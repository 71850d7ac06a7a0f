"""Weights & Biases runs, offline; `wandb sync RUN/wandb/offline-run-*` uploads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sensorium.runtime.events import FitEnd
from sensorium.runtime.trackers._base import Tracker

PACKAGES = ("wandb",)
PROJECT = "sensorium"


class Wandb(Tracker):
    """Tracker for Weights & Biases: one offline run per training in `RUN/wandb`; `WANDB_MODE` is ignored."""

    _run: Any = None

    def start(self, name: str, settings: Mapping[str, Any]) -> None:
        os.environ["WANDB_ERROR_REPORTING"] = "false"  # before it is imported; else its own errors are sent
        import wandb

        self.folder.mkdir(parents=True, exist_ok=True)
        quiet = wandb.Settings(
            mode="offline",
            root_dir=str(self.folder),
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            x_disable_meta=True,
            x_disable_stats=True,
        )
        self._run = wandb.init(project=PROJECT, name=name, config=dict(settings), settings=quiet, reinit="create_new")

    def log(self, metrics: Mapping[str, float], epoch: int) -> None:
        self._run.log(dict(metrics), step=epoch)

    def end(self, event: FitEnd) -> None:
        if self._run:
            self._run.summary.update({"outcome": event.outcome, "best_epoch": event.best_epoch})
            self._run.finish(exit_code=0 if event.outcome in ("completed", "stopped") else 1)
            self._run = None
