"""State of a training, which checkpoints contain."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from sensorium.config import TrainConfig
from sensorium.errors import TrainingError
from sensorium.tasks import selection_criterion, watched_metric
from sensorium.techniques import TrainingContext, build_techniques, chosen_techniques
from sensorium.train.best import Best, trained_state
from sensorium.train.history import History
from sensorium.train.optimizer import make_optimizer, make_schedule
from sensorium.train.precision import Precision
from sensorium.train.random_streams import RandomStreams
from sensorium.train.stopping import EarlyStopping


@dataclass
class Place:
    """Position of a training within its epochs.

    Attributes:
        epoch: number of the current epoch, from 1.
        batches: number of finished batches of this epoch.
        steps: number of finished batches that had readable rows.
        loss: sum of the losses that were read from the device.
        waiting: losses that were not yet read from the device.
        rate: learning rate at the start of the epoch.
        seconds: time spent in this epoch.
    """

    epoch: int = 1
    batches: int = 0
    steps: int = 0
    loss: float = 0.0
    waiting: list[Tensor] = field(default_factory=list)
    rate: float = 0.0
    seconds: float = 0.0


class State:
    """State of a training: everything that changes during it.

    Args:
        context: context of the training: model, task, batches, rows.
        config: settings of the loop.
        seed: random seed.
    """

    def __init__(self, context: TrainingContext, config: TrainConfig, seed: int) -> None:
        rows, device = len(context.train_rows), next(context.model.parameters()).device
        self.context, self.config = context, config
        self.history = History(
            watched_metric(config, context.task),
            selection_criterion(config, context.task),
            config.stop_by or "metric",
        )
        self.stopping = EarlyStopping(context, config, self.history.watched)
        self.techniques = build_techniques(chosen_techniques(config), context)
        self.parts = nn.ModuleList([context.model, *self.techniques.values()])
        self.optimizer = make_optimizer(self.parts, config)
        self.schedule = make_schedule(self.optimizer, config, context.epochs * math.ceil(rows / context.batch_size))
        self.precision = Precision(config.precision, device)
        self.streams = RandomStreams(seed, device)
        self.best = Best(config.soup)
        self.place = Place(rate=self.rate)
        self._before, self._start = 0.0, time.perf_counter()

    @property
    def rate(self) -> float:
        return float(self.schedule.get_last_lr()[0])

    @property
    def seconds(self) -> float:
        """Return the seconds of training, including earlier processes of a resumed run."""
        return self._before + time.perf_counter() - self._start

    @property
    def over(self) -> bool:
        """Return whether the last epoch is done or early stopping applies."""
        return len(self.history.epochs) >= self.context.epochs or self.stopping.check(self.history) is not None

    @property
    def rows_done(self) -> int:
        """Return the approximate number of rows that were trained on."""
        rows = len(self.context.train_rows)
        return (self.place.epoch - 1) * rows + min(rows, self.place.batches * self.context.batch_size)

    def to_tree(self) -> dict[str, Any]:
        """Return the state as dicts, lists, tensors and JSON values, without copying."""
        return {
            "place": vars(self.place),
            "seconds": self.seconds,
            "history": self.history.to_json(),
            "parts": trained_state(self.parts),
            "optimizer": self._optimizer_tree(),
            "schedule": {name: value for name, value in self.schedule.state_dict().items() if name != "lr_lambdas"},
            "precision": self.precision.to_tree(),
            "random": self.streams.to_tree(),
            "best": self.best.to_tree(),
            "streamed_columns": self.context.loader.streamed_state(),
        }

    def restore(self, tree: Mapping[str, Any]) -> None:
        """Restore the state that `to_tree` returned.

        Raises:
            TrainingError: the state belongs to another network.
        """
        try:
            self._restore_parts(tree["parts"])
        except RuntimeError as error:
            raise TrainingError(f"the checkpoint belongs to another network: {error}") from None
        self._restore_optimizer(tree["optimizer"])
        self.schedule.load_state_dict(tree["schedule"] | {"lr_lambdas": [None]})
        self.place = Place(**tree["place"])
        self.place.waiting = [loss.to(self.streams.device) for loss in self.place.waiting]
        self._before = tree["seconds"]
        self.history.restore(tree["history"])
        self.precision.restore(tree["precision"])
        self.streams.restore(tree["random"])
        self.best.restore(tree["best"])
        self.context.loader.restore_streamed(tree["streamed_columns"])

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
        """Restore learning rates and the state of each parameter; everything else depends on the settings."""
        groups = self.optimizer.state_dict()["param_groups"]
        groups = [group | rates for group, rates in zip(groups, tree["rates"], strict=True)]
        state = {int(number): kept for number, kept in tree["state"].items()}
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
