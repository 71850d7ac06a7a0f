"""Show the progress of long work: bars on a terminal, lines in a log, or nothing.

Everything goes to stderr, so that stdout stays free for results.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from sensorium.errors.printable import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar(Protocol):
    """Progress of one task: `with progress.bar("decoding", 6000) as bar: bar.advance(32)`."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, /, *_: object) -> None: ...
    def advance(self, steps: int) -> None: ...
    def note(self, text: str) -> None:
        """Show figures beside the bar, such as loss and metric."""


class Reporter(Protocol):
    """Reporter of progress and messages."""

    def bar(self, title: str, total: int, unit: str = "rows") -> Bar: ...
    def log(self, text: str) -> None: ...


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
    """Make a reporter: bars on a terminal, lines elsewhere, nothing if `show` is False."""
    if not show:
        return Silent()
    return RichReporter() if sys.stderr.isatty() else LineReporter(sys.stderr)


class Silent:
    """Shows nothing."""

    def bar(self, title: str, total: int, unit: str = "rows") -> Bar:
        return self

    def log(self, text: str) -> None:
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
    """Progress as lines: one at the end of each task, and one every `every` seconds during a long task."""

    def __init__(self, stream: TextIO, every: float = 10.0) -> None:
        self._stream, self._every = stream, every

    def bar(self, title: str, total: int, unit: str = "rows") -> Bar:
        return _LineBar(title, total, unit, self._stream, self._every)

    def log(self, text: str) -> None:
        print(one_line(text), file=self._stream, flush=True)


class _LineBar:
    def __init__(self, title: str, total: int, unit: str, stream: TextIO, every: float) -> None:
        self._title, self._total, self._unit, self._stream, self._every = title, total, unit, stream, every
        self._done, self._text = 0, ""
        self._start = self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, /, *_: object) -> None:
        if kind is None:
            self._total = self._done  # training may stop early
        self._print()

    def advance(self, steps: int) -> None:
        self._done += steps
        if time.monotonic() - self._last >= self._every:
            self._print()

    def note(self, text: str) -> None:
        self._text = text

    def _print(self) -> None:
        self._last = time.monotonic()
        seconds = max(self._last - self._start, 1e-9)
        of = left = ""
        if self._done < self._total:
            of = f" of {self._total:,}"
            left = f", {seconds / max(1, self._done) * (self._total - self._done):.0f} s left"
        counts = f"{self._done:,}{of} {self._unit}, {self._done / seconds:,.0f} {self._unit}/s{left}"
        line = f"{self._title}: {counts}{'; ' + self._text if self._text else ''}"
        print(one_line(line), file=self._stream, flush=True)


class RichReporter:
    """Progress as live bars with rows, rows/s, time left, loss and metric."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)

    def bar(self, title: str, total: int, unit: str = "rows") -> Bar:
        from rich import progress as rich

        bars = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(),
            rich.MofNCompleteColumn(),
            rich.TextColumn("{task.fields[speed]}"),
            rich.TimeRemainingColumn(elapsed_when_finished=True),
            rich.TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
        )
        return _RichBar(bars, bars.add_task(one_line(title), total=total, note="", speed=""), unit)

    def log(self, text: str) -> None:
        self._console.print(one_line(text), highlight=False, markup=False, emoji=False)


class _RichBar:
    def __init__(self, bars: Progress, task: TaskID, unit: str) -> None:
        self._bars, self._task, self._unit = bars, task, unit
        self._done, self._start = 0, time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, /, *_: object) -> None:
        if kind is None:
            self._bars.update(self._task, total=self._done)
        self._bars.stop()

    def advance(self, steps: int) -> None:
        self._done += steps
        speed = f"{self._done / max(time.monotonic() - self._start, 1e-9):,.0f} {self._unit}/s"
        self._bars.update(self._task, advance=steps, speed=speed)

    def note(self, text: str) -> None:
        self._bars.update(self._task, note=one_line(text))
