"""Figures of progress: steps, rate, estimated time left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


def duration_text(seconds: float) -> str:
    """Format a time for users, in seconds, minutes or hours.

    >>> from sensorium.runtime.progress import duration_text
    >>> duration_text(42), duration_text(300), duration_text(9000)
    ('42 s', '5 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def is_first(kind: str, logged: set[str]) -> bool:
    """Return whether no message of this kind was logged yet; the empty kind has no limit."""
    first = kind not in logged
    logged |= {kind} - {""}
    return first


@dataclass
class Counter:
    """Number of finished steps of a task, with its rate and the estimated time left.

    Attributes:
        total: number of steps; None for work of unknown length.
        unit: what a step is, in plural.
        until: what the time left refers to.
    """

    total: int | None
    unit: str
    until: str
    done: int = 0
    start: float = field(default_factory=lambda: time.monotonic())

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self.start, 1e-9)

    def rate_text(self) -> str:
        return f"{self.done / self.seconds:,.0f} {self.unit}/s"

    def left_text(self) -> str:
        """Return the time left, such as `about 12 min to epoch 60`; empty at the start and at the end."""
        left = self.seconds * ((self.total or 0) / self.done - 1) if self.done else 0.0
        return f"about {duration_text(left)} {self.until}" if left > 0 else ""

    def text(self) -> str:
        """Return all figures in one line."""
        if self.total is None:
            return f"{duration_text(self.seconds)} so far"
        of = f" of {self.total:,}" if self.done < self.total else ""
        return ", ".join(filter(None, [f"{self.done:,}{of} {self.unit}", self.rate_text(), self.left_text()]))
