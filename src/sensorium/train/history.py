"""History of a training: one entry per epoch, and the best epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sensorium.config import SelectBy
from sensorium.files.figures import finite, nan_for_none
from sensorium.metrics import rank_value

DECAY = 0.5  # of the moving average of the calibrated loss: the weight of earlier epochs halves with each epoch


@dataclass(frozen=True)
class Epoch:
    """Entry of one epoch.

    Attributes:
        number: of the epoch, from 1.
        loss: mean loss over the steps.
        validation_loss, metric, calibrated_loss: loss, watched metric and log loss after temperature scaling on the
            validation rows (see `Validated`); NaN without such rows.
        learning_rate: at the start of the epoch.
        rows_per_second: training rows per second.
        seconds: duration without validation.
    """

    number: int
    loss: float
    validation_loss: float
    metric: float
    learning_rate: float
    rows_per_second: float
    seconds: float
    calibrated_loss: float = math.nan


@dataclass
class History:
    """History of a training.

    Attributes:
        watched: the metric of the validation rows that is shown.
        select_by: what decides which epoch is best (`train.select_by`).
        stop_by: what patience watches (`train.stop_by`).
        epochs: one entry per epoch.
        best: number of the best epoch.
        techniques: report of each technique.
        soup: epochs whose weights were averaged, and the metrics of the average; empty without a soup.
        stopped: why training ended before its last epoch; empty if it did not, or a budget ended it.
        seconds: duration, validation included, over all processes of a resumed run.
    """

    watched: str
    select_by: SelectBy = "metric"
    stop_by: SelectBy = "metric"
    epochs: list[Epoch] = field(default_factory=list)
    best: int = 0
    techniques: dict[str, dict[str, Any]] = field(default_factory=dict)
    soup: dict[str, Any] = field(default_factory=dict)
    stopped: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the history as JSON values; null for undefined values."""
        epochs = [{key: finite(value) for key, value in asdict(epoch).items()} for epoch in self.epochs]
        found = {
            "watched": self.watched,
            "select_by": self.select_by,
            "stop_by": self.stop_by,
            "best": self.best,
            "epochs": epochs,
            "techniques": self.techniques,
        }
        optional = {"soup": self.soup, "stopped": self.stopped}
        return found | {name: value for name, value in optional.items() if value}

    def restore(self, content: Mapping[str, Any]) -> None:
        """Restore what `to_json` returned."""
        epochs = ({key: nan_for_none(value) for key, value in epoch.items()} for epoch in content["epochs"])
        self.epochs = [Epoch(**epoch) for epoch in epochs]
        self.best = content["best"]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> History:
        """Restore a history from the values of `to_json` and its `seconds`."""
        optional = {name: content.get(name, {}) for name in ("soup", "stopped")}
        found = cls(
            content["watched"],
            content.get("select_by", "metric"),
            content.get("stop_by", "metric"),
            techniques=content["techniques"],
            **optional,
        )
        found.restore(content)
        found.seconds = content.get("seconds", 0.0)
        return found

    @property
    def improved(self) -> int:
        """Return the number of the first epoch with the best value of `stop_by`, from which patience counts."""
        ranks = [self._rank_by(self.stop_by, epoch) for epoch in self.epochs]
        return ranks.index(max(ranks)) + 1 if ranks and not math.isnan(self.epochs[-1].validation_loss) else self.best

    def rank(self, number: int) -> tuple[float, float]:
        """Return a sort key of an epoch, larger is better.

        For `metric`, the watched metric, then the loss. For `log_loss`, an exponential moving average of the calibrated
        loss over the epochs so far (without the bias of its start), then the watched metric. The average is not moved
        by the luck of a single epoch; it belongs to the epoch for good, as later epochs do not change it.
        """
        if self.select_by == "metric":
            return self._rank_by("metric", self.epochs[number - 1])
        mean = weight = 0.0
        for epoch in self.epochs[:number]:
            if math.isfinite(epoch.calibrated_loss):
                mean, weight = DECAY * mean + (1 - DECAY) * epoch.calibrated_loss, DECAY * weight + 1 - DECAY
        average = mean / weight if weight else math.nan
        return rank_value("log_loss", average), rank_value(self.watched, self.epochs[number - 1].metric)

    def soup_rank(self, figures: Epoch) -> tuple[float, float]:
        """Return a sort key of averaged weights, larger is better: the same criterion without a moving average."""
        return self._rank_by(self.select_by, figures)

    def _rank_by(self, criterion: SelectBy, epoch: Epoch) -> tuple[float, float]:
        if criterion == "metric":
            return rank_value(self.watched, epoch.metric), -epoch.validation_loss
        return rank_value("log_loss", epoch.calibrated_loss), rank_value(self.watched, epoch.metric)
