"""Show the progress of long work: bars on a terminal, a line per minute in a log, or nothing.

Everything goes to stderr, so that stdout stays free for results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from sensorium.errors.printable import one_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID


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
    """Number of finished steps of a task, with its rate and the estimated time left."""

    total: int
    unit: str
    until: str
    done: int = 0
    start: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        return self.done / max(time.monotonic() - self.start, 1e-9)

    def rate_text(self) -> str:
        return f"{self.rate:,.0f} {self.unit}/s"

    def left_text(self) -> str:
        """Return the time left, such as `about 12 min to epoch 60`; empty at the start and at the end."""
        left = (self.total - self.done) / self.rate if self.done else 0.0
        return f"about {duration_text(left)} {self.until}" if left > 0 else ""


class Silent:
    """Shows nothing."""

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
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
        self._logged = set[str]()

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
        return _LineBar(title, _Counter(total, unit, until), self)

    def step(self, text: str) -> None:
        if self.is_due:
            self.print_state(text)

    def log(self, text: str, *, once: str = "") -> None:
        if _is_first(once, self._logged):
            print(one_line(text), file=self._stream, flush=True)

    @property
    def is_due(self) -> bool:
        """Return whether the last line about the state of the work is old enough for another one."""
        return time.monotonic() - self._last >= self._every

    def print_state(self, text: str) -> None:
        """Print a line about the state of the work."""
        self._last = time.monotonic()
        self.log(text)


class _LineBar:
    def __init__(self, title: str, counter: _Counter, reporter: LineReporter) -> None:
        self._title, self._counter, self._reporter, self._text = title, counter, reporter, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, steps: int) -> None:
        self._counter.done += steps
        if self._reporter.is_due:
            self._reporter.print_state(self._line())

    def note(self, text: str) -> None:
        self._text = text

    def _line(self) -> str:
        counter = self._counter
        of = f" of {counter.total:,}" if counter.done < counter.total else ""
        parts = [f"{counter.done:,}{of} {counter.unit}", counter.rate_text(), counter.left_text()]
        return f"{self._title}: {', '.join(filter(None, parts))}{'; ' + self._text if self._text else ''}"


class RichReporter:
    """Progress as live bars with rows, rows/s and time left; loss and metric are shown below the bar."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console, self._logged = Console(stderr=True), set[str]()

    def bar(self, title: str, total: int, unit: str = "rows", *, until: str = "left") -> Bar:
        from rich import progress as rich

        bars = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(),
            rich.MofNCompleteColumn(),
            rich.TextColumn("{task.fields[speed]}"),
            rich.TextColumn("{task.fields[left]}"),
            console=self._console,
        )
        task = bars.add_task(one_line(title), total=total, speed="", left="")
        return _RichBar(bars, task, _Counter(total, unit, until))

    def step(self, text: str) -> None:
        self.log(text)

    def log(self, text: str, *, once: str = "") -> None:
        if _is_first(once, self._logged):
            self._console.print(one_line(text), highlight=False, markup=False, emoji=False)


class _RichBar:
    def __init__(self, bars: Progress, task: TaskID, counter: _Counter) -> None:
        self._bars, self._task, self._counter = bars, task, counter
        self._table, self._note = bars.get_renderables, ""
        bars.get_renderables = self._renderables  # type: ignore[method-assign]

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, /, *_: object) -> None:
        if kind is None:
            self._bars.update(self._task, total=self._counter.done, left="")
        self._bars.stop()

    def advance(self, steps: int) -> None:
        self._counter.done += steps
        speed, left = self._counter.rate_text(), self._counter.left_text()
        self._bars.update(self._task, advance=steps, speed=speed, left=left)

    def note(self, text: str) -> None:
        self._note = one_line(text)

    def _renderables(self) -> Iterable[RenderableType]:
        """Show the bar, and the note in a line of its own: beside the bar, it would be cut off."""
        from rich.text import Text

        yield from self._table()
        if self._note:
            yield Text(f"  {self._note}")
