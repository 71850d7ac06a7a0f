"""No process that decodes files outlives the one that started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# Decodes for ever in two processes; their numbers are printed.
SLOW = """
import sys, time, os
from pathlib import Path
from sensorium.modalities import Work
from sensorium.modalities.image import Image
from sensorium.prepare import chunks
from sensorium.table import open_table

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import slow_decoding
    from sensorium.runtime.signals import end_at_once

    end_at_once()
    chunks.ENOUGH, chunks.PROBE = 0, 1
    column = open_table(sys.argv[1]).column("image")
    modality = Image.learn(column, size=16)
    hand = slow_decoding.Slow(os.getpid(), sys.argv[2])
    list(chunks.encode_chunks(modality, column, Work(2), 1, hand))
"""
HAND = """
import os, time
from dataclasses import dataclass
from pathlib import Path

@dataclass
class Slow:
    parent: int
    folder: str

    def __call__(self, first, encoded):
        if os.getpid() != self.parent:
            (Path(self.folder) / str(os.getpid())).touch()
            time.sleep(60)
        return encoded
"""


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    for row in range(8):
        Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / f"{row}.png")
    (tmp_path / "t.csv").write_text("image\n" + "".join(f"{row}.png\n" for row in range(8)))
    return tmp_path / "t.csv"


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def runs(number):
    """A process that ended and was not waited for runs no more."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes there are")
@pytest.mark.parametrize("which", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGINT to all", "SIGHUP to all"])
def test_decoding_processes_end_with_the_one_that_started_them(which, table, tmp_path):
    """The output is read to its end, which comes once no process holds it."""
    (tmp_path / "pids").mkdir()
    (tmp_path / "slow_decoding.py").write_text(HAND)
    (tmp_path / "script.py").write_text(SLOW)
    command = [sys.executable, str(tmp_path / "script.py"), str(table), str(tmp_path / "pids")]
    path = os.pathsep.join([str(tmp_path), *sys.path])
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": path}
    child = subprocess.Popen(command, **output, env=environment, start_new_session=True)
    try:
        assert until(lambda: len(list((tmp_path / "pids").iterdir())) == 2, 60), child.communicate()
        number = getattr(signal, which.split()[0])
        (os.killpg if "all" in which else os.kill)(child.pid, number)
        start = time.monotonic()
        said, told = child.communicate(timeout=30)
        assert time.monotonic() - start < 5
        workers = [int(path.name) for path in (tmp_path / "pids").iterdir()]
        assert not any(map(runs, workers))
        assert said == ""
        lines = {signal.SIGKILL: "", signal.SIGINT: "interrupted\n"}
        assert told == lines.get(number, f"stopped by {which.split()[0]}\n")
        assert child.returncode == (-number if number == signal.SIGKILL else 128 + number)
    finally:
        if child.poll() is None:
            child.kill()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes there are")
def test_where_the_system_does_not_end_them_they_look_for_their_parent(tmp_path):
    """As on other systems, and where a thread that may end started them."""
    script = (
        "import subprocess, sys, time\n"
        "code = 'import os, time; from sensorium.runtime.processes import end_with_parent;'\n"
        "code += 'end_with_parent(os.getppid(), False); print(os.getpid(), flush=True); time.sleep(60)'\n"
        "subprocess.run([sys.executable, '-c', code])"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert runs(child)
    parent.kill()
    parent.communicate()
    assert until(lambda: not runs(child), 5)
