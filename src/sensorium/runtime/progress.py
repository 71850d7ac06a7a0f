"""Show the progress of long work: bars on a terminal, a line per minute in a log, or nothing.

Everything goes to stderr, so that stdout stays free for results.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from sensorium.errors.printable import one_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress


class Bar(Protocol):
    """Progress of one task: `with progress.bar("decoding", 6000) as bar: bar.advance(32)`."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, /, *_: object) -> None: ...
    def advance(self, steps: int) -> None: ...
    def note(self, text: str) -> None:
        """Show figures with the bar, such as loss and metric."""


class Reporter(Protocol):
    """Reporter of progress and messages."""

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
        """Return the progress of a task; `until` says what the estimated time refers to: "left", "to epoch 60"."""

    def phase(self, title: str) -> AbstractContextManager[object]:
        """Show that work of unknown length is running within a `with` block."""

    def step(self, text: str) -> None:
        """Show which part of long work begins or has ended."""

    def log(self, text: str, *, once: str = "") -> None:
        """Show a message that the user should read; of messages with the same `once`, only the first."""


def duration_text(seconds: float) -> str:
    """Format a time for users, in seconds, minutes or hours.

    >>> from sensorium.runtime.progress import duration_text
    >>> duration_text(42), duration_text(300), duration_text(9000)
    ('42 s', '5 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def reporter(show: bool = True) -> Reporter:
    """Make a reporter: bars on a terminal, a line per minute elsewhere, nothing if `show` is False."""
    if not show:
        return Silent()
    return RichReporter() if sys.stderr.isatty() else LineReporter(sys.stderr)


def _is_first(kind: str, logged: set[str]) -> bool:
    """Return whether no message of this kind was logged yet; the empty kind has no limit."""
    first = kind not in logged
    logged |= {kind} - {""}
    return first


@dataclass
class _Counter:
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


class Silent:
    """Shows nothing."""

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
        return self

    def phase(self, title: str) -> Self:
        return self

    def step(self, text: str) -> None:
        pass

    def log(self, text: str, *, once: str = "") -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, steps: int) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class LineReporter:
    """Progress as plain lines: messages at once, and the state of long work every `every` seconds.

    Work that takes less than that prints only its messages.
    """

    def __init__(self, stream: TextIO, every: float = 60.0) -> None:
        self._stream, self._every, self._last = stream, every, time.monotonic()
        self._logged, self._open, self._lock = set[str](), list[_LineBar](), threading.Lock()
        self._stopped = threading.Event()

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
        return _LineBar(title, _Counter(total, unit, until), self)

    def phase(self, title: str) -> AbstractContextManager[object]:
        return _LineBar(title, _Counter(None, "", ""), self)

    def step(self, text: str) -> None:
        self.print_state(lambda: text)

    def log(self, text: str, *, once: str = "") -> None:
        if _is_first(once, self._logged):
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
                self.log(text())

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
            self._stopped.set()

    def _watch(self, stopped: threading.Event) -> None:
        while not stopped.wait(max(1.0, self._every - (time.monotonic() - self._last))):
            for bar in self._open[-1:]:
                self.print_state(bar.line)


class _LineBar:
    def __init__(self, title: str, counter: _Counter, reporter: LineReporter) -> None:
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


class RichReporter:
    """Progress as live bars with rows, rows/s, time so far and time left; loss and metric are shown below the bar.

    Tasks within a task are shown together. A phase disappears when it ends.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self._console, self._logged = Console(stderr=True), set[str]()
        self._bars: Progress | None = None
        self._open = list[_RichBar]()

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
        return _RichBar(title, _Counter(total, unit, until), self)

    def phase(self, title: str) -> AbstractContextManager[object]:
        return _RichBar(title, _Counter(None, "", ""), self)

    def step(self, text: str) -> None:
        self.log(text)

    def log(self, text: str, *, once: str = "") -> None:
        if _is_first(once, self._logged):
            self._console.print(one_line(text), highlight=False, markup=False, emoji=False)

    def enter(self, bar: _RichBar) -> Progress:
        """Begin a task; return the display of all open tasks."""
        if self._bars is None:
            self._bars = self._display()
            self._bars.start()
        self._open.append(bar)
        return self._bars

    def leave(self, bar: _RichBar) -> None:
        """End a task."""
        if self._bars is not None and self._open == [bar]:
            self._bars.stop()  # draws the last state, with the note
            self._bars = None
        self._open.remove(bar)

    def _display(self) -> Progress:
        from rich import progress as rich
        from rich.text import Text

        bars = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(20),
            rich.TextColumn("{task.fields[figures]}", markup=False),
            rich.TimeElapsedColumn(),
            console=self._console,
        )
        table = bars.get_renderables

        def with_notes() -> Iterable[RenderableType]:
            """Show the notes in lines of their own: beside a bar, they would be cut off."""
            yield from table()
            yield from (Text(f"  {bar.text}") for bar in self._open if bar.text)

        bars.get_renderables = with_notes  # type: ignore[method-assign]
        return bars


class _RichBar:
    def __init__(self, title: str, counter: _Counter, reporter: RichReporter) -> None:
        self._title, self._counter, self._reporter, self.text = one_line(title), counter, reporter, ""

    def __enter__(self) -> Self:
        self._bars = self._reporter.enter(self)
        self._task = self._bars.add_task(self._title, total=self._counter.total, figures="")
        return self

    def __exit__(self, kind: type[BaseException] | None, /, *_: object) -> None:
        if self._counter.total is None:
            self._bars.remove_task(self._task)
        elif kind is None:  # training may stop early
            self._counter.total = self._counter.done
            self._bars.update(self._task, total=self._counter.done, figures=self._counter.text())
        self._reporter.leave(self)

    def advance(self, steps: int) -> None:
        self._counter.done += steps
        self._bars.update(self._task, advance=steps, figures=self._counter.text())

    def note(self, text: str) -> None:
        self.text = one_line(text)
