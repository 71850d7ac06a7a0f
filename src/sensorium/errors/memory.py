"""Convert out-of-memory errors of libraries to one error that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sensorium.errors import OutOfMemoryError, SensoriumError

SIGNS = re.compile(
    r"(can't|cannot|failed to|unable to|not enough memory to) (allocate|map|start new thread)"
    r"|out of memory|not enough memory|std::bad_alloc|malloc of size"
    r"|PyObject pointer is null",  # of Rust code, as in safetensors
    re.IGNORECASE,
)
SIZE = re.compile(r"(?:allocate|allocate:? you tried to allocate|size) ([\d.,]+ ?(?:[KMGT]i?B|bytes)?)", re.IGNORECASE)


@contextmanager
def explain_memory_errors(cure: str) -> Iterator[None]:
    """Convert out-of-memory errors of libraries into `OutOfMemoryError`.

    Args:
        cure: how this work can use less memory.

    Raises:
        OutOfMemoryError: the machine, the device, or the limit of the process has too little memory.
    """
    try:
        yield
    except BaseException as error:  # libraries have classes of their own; a panic of Rust code is no Exception
        if isinstance(error, SensoriumError) or not is_lack_of_memory(error):
            raise
        raise OutOfMemoryError(f"not enough memory{_asked(error)}", cure=cure) from error


def is_lack_of_memory(error: BaseException) -> bool:
    """Return whether the error, of any class, was caused by a lack of memory."""
    return isinstance(error, MemoryError) or bool(SIGNS.search(str(error)))


def _asked(error: BaseException) -> str:
    found = SIZE.search(str(error))
    return f": an allocation of {found[1].strip()} failed" if found else ""
