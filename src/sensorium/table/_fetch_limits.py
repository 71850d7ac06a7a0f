"""Limits of a download: its size and its time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sensorium.config import RemoteConfig


class Lasting(OSError):
    """Download that failed for a reason that a second try would not change."""


class TooMuch(Lasting):
    """Download that is too large or too slow."""


@dataclass(frozen=True)
class Limit:
    """Limits of a download's size and time, counted from its creation."""

    bytes: int
    seconds: float
    _start: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, remote: RemoteConfig) -> Limit:
        return cls(round(remote.max_gigabytes * 1e9), remote.timeout)

    @property
    def left(self) -> float:
        """Return the seconds left; always above 0, because libraries read 0 as no limit."""
        return max(0.001, self._start + self.seconds - time.monotonic())

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self._start >= self.seconds

    def too_slow(self) -> OSError:
        return TooMuch(f"it exceeds the time limit of {self.seconds:g} seconds (table.remote.timeout)")

    def check(self, size: int) -> None:
        """Raise an OSError if the bytes, or the time until now, exceed the limit."""
        if size > self.bytes:
            raise TooMuch(f"it exceeds the limit of {self.bytes:,} bytes (table.remote.max_gigabytes)")
        if self.is_over:
            raise self.too_slow()
