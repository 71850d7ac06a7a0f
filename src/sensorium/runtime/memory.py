"""Measure how much memory this process may use."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

# Limits of a container: version 2 of control groups, and version 1.
CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def usable_memory() -> int | None:
    """Return the bytes of memory that this process may use at most; None if the platform does not report them.

    The smallest of the machine's memory, the limit of the container and the limits of the process (`ulimit -v`).
    """
    return min([*_machine(), *_container(), *_process()], default=None)


def _machine() -> list[int]:
    try:
        return [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return []


def _container() -> list[int]:
    found = []
    for file in CONTAINER:
        try:
            found.append(int(file.read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return found


def _process() -> list[int]:
    if resource is None:
        return []
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return [limit for limit in limits if limit != resource.RLIM_INFINITY]
