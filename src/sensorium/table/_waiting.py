"""Read a database in a separate thread, so that signals and time limits still work.

Only the database engine can interrupt a query, and not at every point: one call of an SQL function may take minutes.
Such a thread is abandoned; it ends with the process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Generic, TypeVar

from sensorium.runtime.signals import undone_at_end
from sensorium.table._query import TimeLimit

T = TypeVar("T")
LOOK = 0.5  # seconds between two looks for signals, where waiting for a lock hides them
GRACE = 1.0  # seconds for an engine to take an interrupt, and then to end


class Reading(Generic[T]):
    """Reading of a database in a separate thread.

    Args:
        read: function that reads; it gets this object, and sets `interrupt` as soon as it has a connection.
    """

    def __init__(self, read: Callable[[Reading[T]], T]) -> None:
        self.interrupt: Callable[[], object] = lambda: None
        self._read, self._ended = read, Event()
        self._found: list[T] = []
        self._error: BaseException | None = None

    def within(self, limit: TimeLimit) -> T:
        """Return the result.

        Raises:
            TableError: the query exceeded the time limit.
        """
        with undone_at_end(self._stop):
            Thread(target=self._run, name="sensorium-database", daemon=True).start()
            try:
                while not self._ended.wait(min(LOOK, limit.left)):
                    if limit.is_over:
                        raise limit.error()
            except BaseException:
                self._stop()
                raise
        if self._error is not None:
            raise self._error
        return self._found[0]

    def _run(self) -> None:
        try:
            self._found.append(self._read(self))
        except BaseException as error:  # noqa: BLE001 - raised where the reading was asked for
            self._error = error
        finally:
            self._ended.set()

    def _stop(self) -> None:
        """Interrupt the engine, and wait briefly for it to end, because it may not respond."""
        stopping = Thread(target=self._interrupt, name="sensorium-interrupt", daemon=True)
        stopping.start()
        stopping.join(GRACE)
        self._ended.wait(GRACE)

    def _interrupt(self) -> None:
        with suppress(Exception):  # of a connection that is closed
            self.interrupt()
