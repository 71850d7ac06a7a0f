"""Memory that runs out: every library says so in its own way, and none says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sensorium.errors import OutOfMemoryError

SIGNS = re.compile(
    r"(can't|cannot|failed to|unable to|not enough memory to) (allocate|map|start new thread)"
    r"|out of memory|not enough memory|std::bad_alloc|malloc of size",
    re.IGNORECASE,
)
SIZE = re.compile(r"(?:allocate|allocate:? you tried to allocate|size) ([\d.,]+ ?(?:[KMGT]i?B|bytes)?)", re.IGNORECASE)


@contextmanager
def explain_memory_errors(cure: str) -> Iterator[None]:
    """Turn what libraries raise where memory runs out into an error of ours.

    Args:
        cure: how this work gets by with less.

    Raises:
        OutOfMemoryError: the memory of the machine, of the device, or what the process may have of it did not suffice.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except (MemoryError, RuntimeError, OSError, ImportError) as error:
        if not is_lack_of_memory(error):
            raise
        raise OutOfMemoryError(f"the memory does not suffice{_asked(error)}", cure=cure) from error


def is_lack_of_memory(error: BaseException) -> bool:
    """Is it for want of memory, whatever the kind of the error?"""
    return isinstance(error, MemoryError) or bool(SIGNS.search(str(error)))


def _asked(error: BaseException) -> str:
    found = SIZE.search(str(error))
    return f": {found[1].strip()} more were asked for" if found else ""
