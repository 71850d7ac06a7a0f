"""Measure how much memory this process may use."""

from __future__ import annotations

import os

from sensorium.runtime.cgroups import group_folders

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

LIMITS = ("memory.max", "memory.limit_in_bytes")  # of version 2 and version 1 of control groups


def usable_memory() -> int | None:
    """Return the bytes of memory that this process may use at most; None if the platform does not report them.

    The smallest of the machine's memory, the limits of the container's control groups and the limits of the process
    (`ulimit -v`).
    """
    return min([*_machine(), *_container(), *_process()], default=None)


def _machine() -> list[int]:
    try:
        return [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return []


def _container() -> list[int]:
    found = []
    for file in (folder / name for folder in group_folders("memory") for name in LIMITS):
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
