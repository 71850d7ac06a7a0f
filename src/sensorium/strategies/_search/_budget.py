"""A stretch of time, and what is left of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from sensorium.errors import ConfigError

Clock: TypeAlias = Callable[[], float]

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
RULE = "a time such as 90s, 10m, 1h30m"


def parse_budget(text: str | float) -> float:
    """`90s`, `10m`, `1h`, `1h30m`, or a number of seconds → seconds.

    Raises:
        ConfigError: it is none of these, or not above 0.
    """
    seconds = _read(text) if isinstance(text, str) else float(text)
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"a budget of {text!r}", place="budget", rule=RULE)
    return seconds


def _read(text: str) -> float:
    found = re.fullmatch(r"\s*(?:([\d.]+)h)?\s*(?:([\d.]+)m)?\s*(?:([\d.]+)s?)?\s*", text.lower())
    try:
        parts = zip(found.groups(), UNITS.values(), strict=True) if found else ()
        return sum(float(number) * unit for number, unit in parts if number)
    except ValueError:  # two points in a number
        return 0.0


def spell(seconds: float) -> str:
    """As a person says it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@dataclass
class Budget:
    """Seconds to spend, from when it is made on.

    Attributes:
        seconds: in all.
        clock: tells the time in seconds.
        reserve: kept back for what follows the last model: test rows, intervals, saving.
        spent: seconds that an earlier, interrupted run has used.
    """

    seconds: float
    clock: Clock = time.perf_counter
    reserve: float = 0.0
    spent: float = 0.0
    start: float = field(init=False)

    def __post_init__(self) -> None:
        self.start = self.clock()

    @property
    def used(self) -> float:
        return self.spent + self.clock() - self.start

    @property
    def left(self) -> float:
        """For training."""
        return self.seconds - self.reserve - self.used
