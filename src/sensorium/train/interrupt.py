"""Handle Ctrl-C, SIGTERM and SIGHUP in training: stop after the current step, so that the run can be resumed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from sensorium.runtime.signals import SIGNALS, is_usual


class Interrupted(KeyboardInterrupt):
    """Exception: training was stopped by a signal and can be resumed.

    Args:
        text: where training stopped and how to resume it.
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
    """Return the signal that has arrived; 0 for none."""

    signal: int = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this block, the first signal is recorded; a second one acts immediately, as usual.

        Signals that the program handles itself are not affected. Outside the main thread, nothing is changed.
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
