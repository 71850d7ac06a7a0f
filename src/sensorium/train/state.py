"""All that changes as a run goes on, in one place: what a checkpoint holds."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from sensorium.config import TrainConfig
from sensorium.errors import TrainingError
from sensorium.techniques import Course, build_techniques, chosen_techniques
from sensorium.train.best import Best, trained_state
from sensorium.train.history import History
from sensorium.train.job import Training, batch_size, epoch_count
from sensorium.train.optimizer import make_optimizer, make_schedule
from sensorium.train.precision import Precision
from sensorium.train.random_streams import RandomStreams


@dataclass
class Place:
    """Where a run is: in which epoch, how many of its batches are done, and what they came to.

    Attributes:
        epoch: from 1.
        batches: of this epoch that are done.
        steps: as many of them as had rows that could be read.
        loss: sum over the steps that were looked at.
        waiting: losses of the steps that were not.
        rate: learning rate at the epoch's start.
        seconds: spent in this epoch.
    """

    epoch: int = 1
    batches: int = 0
    steps: int = 0
    loss: float = 0.0
    waiting: list[Tensor] = field(default_factory=list)
    rate: float = 0.0
    seconds: float = 0.0


class State:
    """A run at its start, or as it was kept.

    Args:
        job: model, task, batches, rows.
        config: the loop's settings.
        seed: of all chance.
    """

    def __init__(self, job: Training, config: TrainConfig, seed: int) -> None:
        rows, device = len(job.train_rows), next(job.model.parameters()).device
        self.job, self.config = job, config
        self.size, self.epochs = batch_size(config, rows), epoch_count(config, rows)
        self.history = History(config.metric or job.task.watch)
        self.techniques = build_techniques(chosen_techniques(config), self._course())
        self.parts = nn.ModuleList([job.model, *self.techniques.values()])
        self.optimizer = make_optimizer(self.parts, config)
        self.schedule = make_schedule(self.optimizer, config, self.epochs * math.ceil(rows / self.size))
        self.precision = Precision(config.precision, device)
        self.streams = RandomStreams(seed, device)
        self.best = Best(config.soup)
        self.place = Place(rate=self.rate)
        self._before, self._start = 0.0, time.perf_counter()

    def _course(self) -> Course:
        job = self.job
        rows = (job.train_rows, job.validation_rows)
        return Course(
            job.model,
            job.task,
            job.loader,
            *rows,
            target=job.target,
            batch_size=self.size,
            epochs=self.epochs,
            teacher_scores=job.teacher_scores,
            unlabelled_rows=job.unlabelled_rows,
            augmentations=job.augmentations,
        )

    @property
    def rate(self) -> float:
        return float(self.schedule.get_last_lr()[0])

    @property
    def seconds(self) -> float:
        """Spent on the run, by this process and those before it."""
        return self._before + time.perf_counter() - self._start

    @property
    def over(self) -> bool:
        """Are the epochs over, or patience?"""
        done, patience = len(self.history.epochs), self.config.patience
        return done >= self.epochs or bool(patience and done - self.history.best >= patience)

    @property
    def rows_done(self) -> int:
        """Rows of this run that were trained on, about."""
        rows = len(self.job.train_rows)
        return (self.place.epoch - 1) * rows + min(rows, self.place.batches * self.size)

    def to_tree(self) -> dict[str, Any]:
        """Dicts, lists, tensors and JSON values, not copied."""
        return {
            "place": vars(self.place),
            "seconds": self.seconds,
            "history": self.history.to_json(),
            "parts": trained_state(self.parts),
            "optimizer": self._optimizer_tree(),
            "schedule": {name: value for name, value in self.schedule.state_dict().items() if name != "lr_lambdas"},
            "precision": self.precision.to_tree(),
            "chance": self.streams.to_tree(),
            "best": self.best.to_tree(),
            "streams": self.job.loader.streams(),
        }

    def restore(self, tree: Mapping[str, Any]) -> None:
        """Go on from what `to_tree` gave.

        Raises:
            TrainingError: it is of another network.
        """
        try:
            self._restore_parts(tree["parts"])
        except RuntimeError as error:
            raise TrainingError(f"the checkpoint is of another network: {error}") from None
        self._restore_optimizer(tree["optimizer"])
        self.schedule.load_state_dict(tree["schedule"] | {"lr_lambdas": [None]})
        self.place = Place(**tree["place"])
        self.place.waiting = [loss.to(self.streams.device) for loss in self.place.waiting]
        self._before = tree["seconds"]
        self.history.restore(tree["history"])
        self.precision.restore(tree["precision"])
        self.streams.restore(tree["chance"])
        self.best.restore(tree["best"])
        self.job.loader.restore_streams(tree["streams"])

    def _restore_parts(self, tree: Mapping[str, Any]) -> None:
        missing = trained_state(self.parts).keys() - tree.keys()
        _, unknown = self.parts.load_state_dict(tree, strict=False)
        if missing or unknown:
            raise RuntimeError(f"parameters {', '.join(sorted({*missing, *unknown}))}")

    def _optimizer_tree(self) -> dict[str, Any]:
        state = self.optimizer.state_dict()
        rates = [{key: group[key] for key in ("lr", "initial_lr")} for group in state["param_groups"]]
        return {"state": {str(number): kept for number, kept in state["state"].items()}, "rates": rates}

    def _restore_optimizer(self, tree: Mapping[str, Any]) -> None:
        """Rates and what was gathered of each parameter; all else of an optimiser follows from the settings."""
        groups = self.optimizer.state_dict()["param_groups"]
        groups = [group | rates for group, rates in zip(groups, tree["rates"], strict=True)]
        state = {int(number): kept for number, kept in tree["state"].items()}
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
