"""Notes on what an image loses, collected while a thread decodes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LOST: ContextVar[list[str] | None] = ContextVar("_LOST", default=None)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect the notes on images that this thread decodes in the meantime."""
    lost = list[str]()
    token = _LOST.set(lost)
    try:
        yield lost
    finally:
        _LOST.reset(token)


def add_note(note: str) -> None:
    """Add a note on what an image loses to the list of `listening`; an empty note is ignored."""
    lost = _LOST.get()
    if note and lost is not None:
        lost.append(note)
