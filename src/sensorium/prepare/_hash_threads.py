"""Number of threads that hash files and arrays; hashing releases the interpreter's lock."""

from __future__ import annotations

from sensorium.runtime.cpus import usable_cpus

MAX_HASH_THREADS = 8


def hash_threads() -> int:
    """Return one thread per usable CPU, at most `MAX_HASH_THREADS`."""
    return min(MAX_HASH_THREADS, usable_cpus())
