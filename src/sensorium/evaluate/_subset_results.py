"""Results of scoring subsets of modalities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from sensorium.errors.printable import printable
from sensorium.files.figures import finite
from sensorium.metrics import Difference

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Subset:
    """Score of a model on a subset of its modalities.

    Attributes:
        modalities: the modalities that the model gets.
        rows: number of rows that have one of them; for other rows, the prediction is the average of the training rows.
        value: metric on all rows.
        interval: 95% interval.
        difference: difference to the score with all modalities, on the same rows; None for all modalities.
    """

    modalities: list[str]
    rows: int
    value: float
    interval: tuple[float, float]
    difference: Difference | None

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "modalities": self.modalities,
            "rows": self.rows,
            "value": finite(self.value),
            "interval": [finite(low), finite(high)],
            "difference": self.difference and self.difference.to_json(),
        }


@dataclass(frozen=True)
class Share:
    """Shapley value of a modality: its gain, averaged over all orders in which modalities can be added.

    Attributes:
        value: in units of the metric, positive if the modality helps. The values of all modalities add up to the gain
            of the full model over predicting the average of the training rows.
        interval: bootstrap 95% interval.
    """

    value: float
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {"value": finite(self.value), "interval": [finite(low), finite(high)]}


@dataclass(frozen=True)
class Subsets:
    """Scores of a model on subsets of its modalities.

    Attributes:
        metric: registered name.
        listed: description of the scored subsets.
        results: the fewest modalities first, all of them last.
        shares: modality → Shapley value; None if there are too many modalities for exact values.
    """

    metric: str
    listed: str
    results: list[Subset]
    shares: dict[str, Share] | None

    def __str__(self) -> str:
        """Return one line per subset with its score, then one per modality with its Shapley value."""
        names = [" + ".join(result.modalities) for result in self.results]
        wide = max(map(len, names), default=0)
        lines = [f"{self.metric} with subsets of the modalities ({self.listed})"]
        for name, result in zip(names, self.results, strict=True):
            lines.append(f"{name:<{wide}}  {_scored(result.value, result.interval)}")
        if self.shares:
            lines.append(f"Shapley values, {self.metric}")
            lines += [f"{name:<{wide}}  {_scored(own.value, own.interval)}" for name, own in self.shares.items()]
        return printable("\n".join(lines))

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "listed": self.listed,
            "results": [result.to_json() for result in self.results],
            "shares": self.shares and {name: share.to_json() for name, share in self.shares.items()},
        }


def _scored(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{value:.4g} ({low:.4g} to {high:.4g})"
