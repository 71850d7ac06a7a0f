"""What a model costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What a model costs; of several seeds, means.

    Attributes:
        seconds: of training.
        parameters: number of trained parameters; None where they cannot be counted.
        memory: MB by which memory grew at its peak in training and testing (see `sensorium.runtime.profiling`).
        energy: joules meanwhile. Both are None where the system does not report them.
        rows_per_second: predicted, of prepared rows: files were decoded, and features of frozen encoders computed,
            beforehand.
    """

    seconds: float
    parameters: int | None
    memory: float | None
    energy: float | None
    rows_per_second: float

    def to_json(self) -> dict[str, Any]:
        """Return the values as they stand in `comparison.json`."""
        return {
            "seconds": round(self.seconds, 3),
            "parameters": self.parameters,
            "peak_memory_mb": None if self.memory is None else round(self.memory, 1),
            "energy_j": None if self.energy is None else round(self.energy, 2),
            "rows_per_second": round(self.rows_per_second, 1),
        }


def mean_cost(costs: Sequence[Cost]) -> Cost:
    """Return the mean of the costs of several seeds."""
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
