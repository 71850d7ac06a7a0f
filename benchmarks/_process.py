"""A command as a whole process: wall time, peak memory, the JSON object on its last line; and records of figures."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent.parent


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


def record(path: Path, command: str, *, versions: Mapping[str, Path] | None = None, **figures: object) -> None:
    """Write what was measured as JSON, with the command, the machine, and the commit: of each version, if several."""
    commits = {name: _commit(checkout) for name, checkout in (versions or {}).items()}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    content = {"command": command, "commit": commits or _commit(HERE), "machine": machine, **figures}
    path.write_text(json.dumps(content, indent=1) + "\n")


def _commit(checkout: Path) -> str:
    return subprocess.check_output(["git", "-C", str(checkout), "rev-parse", "HEAD"], text=True).strip()
