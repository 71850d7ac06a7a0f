"""Clean up before a signal ends the program.

A signal may come between any two instructions, also within a library that would hide an exception or break on it. The
command line therefore raises none: what is unfinished is removed, one line is printed, and the process ends. Files
under their final names are whole at every moment, so nothing else has to be waited for.
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
SIGNALLED = 128  # and the signal's number: how a shell tells that a signal ended a command
SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it

_undone_at_end: list[Undo] = []


def end_at_once() -> None:
    """Let the first signal end the process from now on; only for programs of our own.

    A signal that is ignored (`nohup`, a job in the background) or that the caller handles stays so.
    """
    for which in SIGNALS:
        if signal.getsignal(which) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(which, _end)


def is_usual(which: signal.Signals) -> bool:
    """Return whether the signal ends the process, by Python's default or by `end_at_once`."""
    return signal.getsignal(which) in (signal.SIG_DFL, signal.default_int_handler, _end)


@contextmanager
def undone_at_end(undo: Undo) -> Iterator[None]:
    """Call `undo` before a signal ends the process within this block; the last one registered is called first."""
    _undone_at_end.append(undo)
    try:
        yield
    finally:
        _undone_at_end.remove(undo)


def end(code: int, text: str = "") -> NoReturn:
    """Print a line and end the process without the interpreter's shutdown, where threads can still fail."""
    for undo in reversed(_undone_at_end):
        with suppress(Exception):  # whatever goes wrong, the process ends
            undo()
    line = (SHOW_CURSOR if text and sys.stderr and os.isatty(2) else b"") + (f"{text}\n".encode() if text else b"")
    with suppress(OSError):  # nobody reads it
        os.write(2, line)
    os._exit(code)


def _end(number: int, _: FrameType | None) -> NoReturn:
    for which in SIGNALS:
        if signal.getsignal(which) is _end:
            signal.signal(which, signal.SIG_DFL)  # a second one does not wait for anything
    name = signal.Signals(number).name
    end(SIGNALLED + number, "interrupted" if number == signal.SIGINT else f"stopped by {name}")
