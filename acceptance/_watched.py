"""A process of its own for cases that may crash it: watched for memory, time, files written outside and the network."""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MEMORY = 2 * 2**30  # bytes that a case may ask for beyond what the process has at the start
SECONDS, PATIENCE = 10.0, 90.0  # of the processor, for one case; of the clock, before it counts as hung
NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "urllib.Request")
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pickle.find_class")
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
QUIET = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"}


class Watched:
    """Runs `attempt(case, folder)` of a module of proofs in another process, which is started anew where it ends."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process that writes it
        self._answers = self._cases = -1

    def check(self, case: int) -> str | None:
        """What is wrong with a case: its own sentence, a crash, a hang, or what it did that it may not."""
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        process = self._process
        os.write(self._cases, f"{case}\n".encode())
        ready, _, _ = select.select([self._answers], [], [], PATIENCE)
        line = os.read(self._answers, 1 << 20) if ready else b""
        if line:
            return json.loads(line)
        process.kill()
        process.wait()
        words = f"ended by {process.returncode}" if ready else f"no answer within {PATIENCE:.0f} s"
        self._log.seek(0)
        return f"the process {words}: {self._log.read()[-600:].decode(errors='replace')!r}"

    def _start(self) -> subprocess.Popen[bytes]:
        for end in (self._answers, self._cases):
            if end >= 0:
                os.close(end)
        self._log.seek(0)
        self._log.truncate()
        self._answers, answers = os.pipe()
        cases, self._cases = os.pipe()
        code = f"from acceptance._watched import serve; serve({self._module!r}, {answers})"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=cases, stdout=self._log, stderr=self._log, pass_fds=[answers],
            env=os.environ | QUIET, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        os.close(answers)
        os.close(cases)
        return process


def serve(module: str, answers: int) -> None:
    """The other process: a case a line, an answer a line, until the input ends."""
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SENSORIUM_CACHE"] = str(Path(folder, "cache"))
        attempt = importlib.import_module(module).prepare(Path(folder))
        guard = Guard(folder)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
        for line in sys.stdin.buffer:
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                sentence = attempt(int(line))
            spent = time.process_time() - start
            slow = f"took {spent:.1f} s" if spent > SECONDS else None
            told = guard.take() or sentence or slow
            os.write(answers, json.dumps(told).encode() + b"\n")
        guard.folders = ("/",)


class Guard:
    """Notes what may not be done: files written outside a folder, connections, programs, pickles."""

    def __init__(self, folder: str) -> None:
        self.folders: Sequence[str] = (os.path.realpath(folder), "/dev/null")
        self._seen: list[str] = []
        sys.addaudithook(self._hook)

    def take(self) -> str:
        """What was seen since."""
        seen, self._seen = self._seen, []
        return "; ".join(seen[:3])

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(NETWORK) or event.startswith(PROGRAMS):
            self._seen.append(f"{event} {str(arguments)[:100]}")
        elif event == "open":
            path, mode, flags = arguments
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if isinstance(flags, int) else mode != "r"
            if writes and isinstance(path, str | bytes):
                self._judge(event, path)
        elif event in CHANGES:
            for path in arguments[:2]:  # of a rename or a link, both ends
                if isinstance(path, str | bytes):
                    self._judge(event, path)

    def _judge(self, event: str, path: str | bytes) -> None:
        place = os.path.realpath(os.fsdecode(path))
        if not any(place == folder or place.startswith(f"{folder.rstrip('/')}/") for folder in self.folders):
            self._seen.append(f"{event} of {place}")
