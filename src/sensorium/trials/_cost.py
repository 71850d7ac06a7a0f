"""Cost of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Cost of training and prediction; the mean over several seeds.

    Attributes:
        seconds: training time.
        parameters: number of trained parameters; None if they cannot be counted.
        memory: peak growth of memory in training and testing, in MB (see `sensorium.runtime.profiling`).
        energy: energy of training and testing, in joules. Both are None if the system does not report them.
        rows_per_second: predictions per second, without decoding files and computing features of frozen encoders.
    """

    seconds: float
    parameters: int | None
    memory: float | None
    energy: float | None
    rows_per_second: float

    def to_json(self) -> dict[str, Any]:
        """Return the entries of `comparison.json`."""
        return {
            "seconds": round(self.seconds, 3),
            "parameters": self.parameters,
            "peak_memory_mb": None if self.memory is None else round(self.memory, 1),
            "energy_j": None if self.energy is None else round(self.energy, 2),
            "rows_per_second": round(self.rows_per_second, 1),
        }


def mean_cost(costs: Sequence[Cost]) -> Cost:
    """Return the mean cost over several seeds."""
    return Cost(
        seconds=mean(cost.seconds for cost in costs),
        parameters=costs[0].parameters,
        memory=_mean([cost.memory for cost in costs]),
        energy=_mean([cost.energy for cost in costs]),
        rows_per_second=mean(cost.rows_per_second for cost in costs),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None
