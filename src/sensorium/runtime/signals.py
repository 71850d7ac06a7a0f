"""Handle signals that end the program: clean up, then end.

A signal may arrive between any two instructions, also within a library that would hide an exception or break on it. So
the command line raises none: unfinished files are removed, one line is printed, and the process ends. Files with their
final names are always complete, so there is nothing else to wait for.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, TypeAlias

Undo: TypeAlias = Callable[[], object]

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SIGNALLED = 128  # plus the number of the signal: the exit code of a command that a signal ended
CONTINUE = "run the same command again to continue"  # hint of commands that can be continued
SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it

_undone_at_end: list[Undo] = []
_hints: list[str] = []


def end_at_once() -> None:
    """Let the first signal end the process from now on; for the command line only.

    A signal that is ignored (`nohup`, a background job) or that the caller handles is left alone.
    """
    for which in SIGNALS:
        if signal.getsignal(which) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(which, _end)


def is_usual(which: signal.Signals) -> bool:
    """Return whether the signal ends the process, by the default of Python or by `end_at_once`."""
    return signal.getsignal(which) in (signal.SIG_DFL, signal.default_int_handler, _end)


@contextmanager
def undone_at_end(undo: Undo) -> Iterator[None]:
    """Within this block, a signal that ends the process calls `undo` first; several are called in reverse order."""
    _undone_at_end.append(undo)
    try:
        yield
    finally:
        _undone_at_end.remove(undo)


@contextmanager
def hint_at_end(text: str) -> Iterator[None]:
    """Within this block, the line that a signal prints before it ends the process has a hint for the user."""
    _hints.append(text)
    try:
        yield
    finally:
        _hints.remove(text)


def end(code: int, text: str = "") -> NoReturn:
    """Print a line and end the process at once, without the interpreter's shutdown, in which threads may fail."""
    for undo in reversed(_undone_at_end):
        with suppress(Exception):  # the process ends in any case
            undo()
    line = (SHOW_CURSOR if text and sys.stderr and os.isatty(2) else b"") + (f"{text}\n".encode() if text else b"")
    with suppress(OSError):  # nobody reads it
        os.write(2, line)
    os._exit(code)


def _end(number: int, _: FrameType | None) -> NoReturn:
    for which in SIGNALS:
        if signal.getsignal(which) is _end:
            signal.signal(which, signal.SIG_DFL)  # a second signal ends the process at once
    name = signal.Signals(number).name
    line = "interrupted" if number == signal.SIGINT else f"stopped by {name}"
    end(SIGNALLED + number, ": ".join([line, *_hints]))
