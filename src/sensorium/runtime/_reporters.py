"""Protocols of progress, and the reporter that shows nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, Self


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
