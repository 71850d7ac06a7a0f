"""Results of scoring subsets of modalities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from sensorium.files.figures import finite
from sensorium.metrics import Difference

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Subset:
    """Score of the model when it is given some of its modalities.

    Attributes:
        modalities: those that it is given.
        rows: how many have one of them; the others are answered with the training rows' average.
        value: of the metric, on all rows.
        interval: bootstrap 95% interval.
        difference: less the model that is given all, on the same rows; None of that one itself.
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
    """Shapley value of a modality: its gain, averaged over all orders of adding modalities.

    Attributes:
        value: in units of the metric, positive where it helps; those of all modalities add up to what the model with
            all of them is better than the training rows' average.
        interval: bootstrap 95% interval.
    """

    value: float
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {"value": finite(self.value), "interval": [finite(low), finite(high)]}


@dataclass(frozen=True)
class Subsets:
    """Scores of a model with fewer modalities.

    Attributes:
        metric: registered name.
        listed: which subsets are, in words.
        results: the fewest modalities first, all of them last.
        shares: modality → Shapley value; None where there are too many modalities to be exact.
    """

    metric: str
    listed: str
    results: list[Subset]
    shares: dict[str, Share] | None

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "listed": self.listed,
            "results": [result.to_json() for result in self.results],
            "shares": self.shares and {name: share.to_json() for name, share in self.shares.items()},
        }
