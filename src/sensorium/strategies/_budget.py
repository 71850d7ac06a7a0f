"""Measure a time budget and the time that is left."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from sensorium.config import TIME
from sensorium.errors import ConfigError

Clock: TypeAlias = Callable[[], float]

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def parse_budget(text: str | float) -> float:
    """Parse a time such as `90s`, `10m`, `1h`, `1h30m` or a number of seconds, and return seconds.

    Raises:
        ConfigError: the text is not a time, or not above 0.
    """
    seconds = _read(text) if isinstance(text, str) else float(text)
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"budget cannot be {text!r}", place="budget", rule=TIME.rule)
    return seconds


def _read(text: str) -> float:
    match = re.fullmatch(r"\s*(?:([\d.]+)h)?\s*(?:([\d.]+)m)?\s*(?:([\d.]+)s?)?\s*", text.lower())
    try:
        parts = zip(match.groups(), UNITS.values(), strict=True) if match else ()
        return sum(float(number) * unit for number, unit in parts if number)
    except ValueError:  # two points in a number
        return 0.0


@dataclass
class Budget:
    """Time budget that starts when the object is made.

    Attributes:
        seconds: the whole budget.
        clock: returns the time in seconds.
        reserve: seconds reserved for predicting the test rows, intervals and saving.
        spent: seconds that an earlier, interrupted run used.
        end: seconds of the budget after which the present part of the work ends; infinite if it may use all of them.
    """

    seconds: float
    clock: Clock = time.perf_counter
    reserve: float = 0.0
    spent: float = 0.0
    end: float = math.inf
    start: float = field(init=False)

    def __post_init__(self) -> None:
        self.start = self.clock()

    @property
    def used(self) -> float:
        return self.spent + self.clock() - self.start

    @property
    def left(self) -> float:
        """Seconds left for training, in the present part of the work."""
        return min(self.seconds - self.reserve, self.end) - self.used
