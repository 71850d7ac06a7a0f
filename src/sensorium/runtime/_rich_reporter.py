"""Progress as live bars, for terminals."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from sensorium.errors.printable import one_line
from sensorium.runtime._counter import Counter, is_first
from sensorium.runtime._reporters import Bar

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress


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
        return _RichBar(title, Counter(total, unit, until), self)

    def phase(self, title: str) -> AbstractContextManager[object]:
        return _RichBar(title, Counter(None, "", ""), self)

    def step(self, text: str) -> None:
        self.log(text)

    def log(self, text: str, *, once: str = "") -> None:
        if is_first(once, self._logged):
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
    def __init__(self, title: str, counter: Counter, reporter: RichReporter) -> None:
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
