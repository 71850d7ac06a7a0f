"""Progress as plain lines, for logs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Self, TextIO

from sensorium.errors.printable import one_line
from sensorium.runtime._counter import Counter, is_first
from sensorium.runtime._reporters import Bar


class LineReporter:
    """Progress as plain lines: messages at once, and the state of long work every `every` seconds.

    Work that takes less than that prints only its messages.
    """

    def __init__(self, stream: TextIO, every: float = 60.0) -> None:
        self._stream, self._every, self._last = stream, every, time.monotonic()
        self._logged, self._open, self._lock = set[str](), list[_LineBar](), threading.Lock()
        self._stopped, self._step = threading.Event(), ""

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
        return _LineBar(title, Counter(total, unit, until), self)

    def phase(self, title: str) -> AbstractContextManager[object]:
        return _LineBar(title, Counter(None, "", ""), self)

    def step(self, text: str) -> None:
        """Print the name of the next piece of work: now if a line is due, else in front of its first line."""
        self._step = text
        self.print_state(lambda: "")

    def log(self, text: str, *, once: str = "") -> None:
        if is_first(once, self._logged):
            print(one_line(text), file=self._stream, flush=True)

    @property
    def is_due(self) -> bool:
        """Return whether the last line about the state of the work is old enough for another one."""
        return time.monotonic() - self._last >= self._every

    def print_state(self, text: Callable[[], str]) -> None:
        """Print a line about the state of the work if it is due."""
        with self._lock:
            if self.is_due:
                self._last = time.monotonic()
                self.log(": ".join(filter(None, [self._step, text()])))
                self._step = ""

    def enter(self, bar: _LineBar) -> None:
        """Begin a task. While there is one, a thread prints its state, also if it does not advance."""
        self._open.append(bar)
        if len(self._open) == 1 and self._every >= 1:
            self._stopped = threading.Event()
            threading.Thread(target=self._watch, args=[self._stopped], daemon=True).start()

    def leave(self, bar: _LineBar) -> None:
        """End a task."""
        self._open.remove(bar)
        if not self._open:
            self._step = ""
            self._stopped.set()

    def _watch(self, stopped: threading.Event) -> None:
        while not stopped.wait(max(1.0, self._every - (time.monotonic() - self._last))):
            for bar in self._open[-1:]:
                self.print_state(bar.line)


class _LineBar:
    def __init__(self, title: str, counter: Counter, reporter: LineReporter) -> None:
        self._title, self._counter, self._reporter, self._text = title, counter, reporter, ""

    def __enter__(self) -> Self:
        self._reporter.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._reporter.leave(self)

    def advance(self, steps: int) -> None:
        self._counter.done += steps
        self._reporter.print_state(self.line)

    def note(self, text: str) -> None:
        self._text = text

    def line(self) -> str:
        """Return the state of the task."""
        return f"{self._title}: {'; '.join(filter(None, [self._counter.text(), self._text]))}"
