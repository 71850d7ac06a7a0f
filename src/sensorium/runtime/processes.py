"""Worker processes that decode files; they end when the process that started them ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sensorium.runtime.signals import SIGNALS
from sensorium.runtime.thread_environment import SINGLE, choose_variables

SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux
UNTOLD = "ignore:resource_tracker:UserWarning"  # an option of Python, which processes inherit
LOOK = 0.5  # seconds between two looks at whether the parent is there


def open_pool(workers: int) -> Any:
    """Return a pool of processes, if possible that of an earlier column."""
    import loky  # its processes don't run the user's script again, as those of multiprocessing would

    in_main = threading.current_thread() is threading.main_thread()
    with apart():
        return loky.get_reusable_executor(
            workers, env=choose_variables(SINGLE), initializer=end_with_parent, initargs=(os.getpid(), in_main)
        )


@contextmanager
def apart() -> Iterator[None]:
    """Start processes within this block without output, and without signals from the terminal.

    The parent receives the signals and ends them. A process of loky removes shared memory of killed processes; its
    warnings are suppressed.
    """
    sys.warnoptions.append(UNTOLD)
    masked = hasattr(signal, "pthread_sigmask")  # not on Windows
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS) if masked else set()
    try:
        yield
    finally:
        sys.warnoptions.remove(UNTOLD)
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def without_stderr() -> Iterator[None]:
    """Within this block, start processes that print no traceback: their errors are returned as results."""
    try:
        kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # the stream is closed
        yield
        return
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def end_with_parent(parent: int, by_system: bool = False) -> None:
    """End this process when its parent ends.

    Args:
        parent: process id of the parent.
        by_system: whether Linux ends the process, immediately. Linux does so when the starting thread ends, so use this
            only if that thread lives as long as its process.
    """
    if by_system and sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)
