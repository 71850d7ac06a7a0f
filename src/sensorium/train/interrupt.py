"""Ctrl-C, SIGTERM and SIGHUP while a run can be taken up again: stop at the end of the step, not in its middle."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from sensorium.runtime.signals import SIGNALS, is_usual


class Interrupted(KeyboardInterrupt):
    """Training was stopped from outside, and can be taken up where it was.

    Args:
        text: where it stopped and how to go on.
        signal: number of the signal.

    Example:
        >>> try:
        ...     model = sensorium.fit("films.csv", "genre", out="run", epochs=1, progress=False)
        ... except sensorium.Interrupted as stop:
        ...     print(f"stopped by signal {stop.signal}; continue with resume=True")
    """

    def __init__(self, text: str, signal: int) -> None:
        super().__init__(text)
        self.signal = signal


@dataclass
class Stop:
    """Was one of the signals sent? 0: none."""

    signal: int = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, the first signal is only noted; a second one acts at once, as they do without this.

        Signals that the program handles itself stay with it, and so they do outside of the main thread.
        """
        main = threading.current_thread() is threading.main_thread()
        usual = {which: signal.getsignal(which) for which in SIGNALS if main and is_usual(which)}

        def note(number: int, _: FrameType | None) -> None:
            self.signal = number
            release()

        def release() -> None:
            for which, handler in usual.items():
                signal.signal(which, handler)

        for which in usual:
            signal.signal(which, note)
        try:
            yield
        finally:
            release()
