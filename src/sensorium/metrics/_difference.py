"""Difference between two models on a metric, as data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from sensorium.files.figures import Figure, finite


@dataclass(frozen=True)
class Difference:
    """Metric of a first model minus that of a second.

    Attributes:
        metric: registered name.
        value: the difference; positive if the first model is better, for any direction of the metric.
        interval: bootstrap 95% interval, both models scored on the same resampled rows.
        p: two-sided bootstrap p-value under the hypothesis of no difference.
    """

    metric: str
    value: Figure
    interval: tuple[Figure, Figure]
    p: Figure

    @property
    def undefined(self) -> bool:
        """Return whether the metric is undefined on these rows, or on most of their resamples."""
        return not math.isfinite(self.interval[0])

    @property
    def helps(self) -> bool:
        """Return whether the first model is shown to be better."""
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
        """Return the difference with its p-value corrected for the number of comparisons."""
        return CorrectedDifference(**asdict(self), p_corrected=p)


@dataclass(frozen=True)
class CorrectedDifference(Difference):
    """Difference that is one of several comparisons.

    Attributes:
        p_corrected: p-value corrected for the number of comparisons (Holm 1979).
    """

    p_corrected: Figure

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"p_corrected": finite(self.p_corrected)}
