"""A command as a whole process: wall time, peak memory, the JSON object on its last line."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any


def measure(command: Sequence[str], **environment: str) -> dict[str, Any]:
    """Run a command to its end.

    Returns:
        `wall` and `cpu` in s, `peak` in MB (largest resident size), and the keys of the JSON on the last line of
        stdout, if any.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdout=out, stderr=errors, env={**os.environ, **environment})
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        said, told = (_read(stream) for stream in (out, errors))
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{told[-2000:]}")
    last = said.strip().rpartition("\n")[2]
    found = json.loads(last) if last.startswith("{") else {}
    return {**found, "wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


def median(runs: Sequence[Mapping[str, float]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
