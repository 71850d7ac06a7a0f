"""The difference between two models on one metric, as data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from sensorium.files.figures import Figure, finite


@dataclass(frozen=True)
class Difference:
    """First model less second, on one metric.

    Attributes:
        metric: registered name.
        value: the difference; positive where the first is better, whatever the metric's direction.
        interval: bootstrap 95% interval, both models scored on the same resampled rows.
        p: two-sided bootstrap probability of a difference this far from 0, were there none.
    """

    metric: str
    value: Figure
    interval: tuple[Figure, Figure]
    p: Figure

    @property
    def undefined(self) -> bool:
        """The metric has no value on these rows, or on most of their resamples."""
        return not math.isfinite(self.interval[0])

    @property
    def helps(self) -> bool:
        """The first is shown to be better."""
        return self.interval[0] > 0

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "metric": self.metric,
            "value": finite(self.value),
            "interval": [finite(low), finite(high)],
            "p": finite(self.p),
        }

    def corrected(self, p: float) -> CorrectedDifference:
        """The same difference with its p corrected for the number of comparisons."""
        return CorrectedDifference(**asdict(self), p_corrected=p)


@dataclass(frozen=True)
class CorrectedDifference(Difference):
    """One difference of several.

    Attributes:
        p_corrected: p, corrected for the number of differences (Holm 1979).
    """

    p_corrected: Figure

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"p_corrected": finite(self.p_corrected)}
