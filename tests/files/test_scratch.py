"""Temporary folders of killed processes are removed by the next process, and those of living ones are not."""

import os
import signal
import subprocess
import sys
import tempfile

import pytest

from sensorium.files import scratch_folder

HOLD = """
import sys, tempfile
from sensorium.files import scratch_folder
tempfile.tempdir = sys.argv[1]
with scratch_folder("scratch-") as folder:
    (folder / "0.npy").write_bytes(b"numbers")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(temporary):
    """Another process that has a temporary folder, and the folder."""
    command = [sys.executable, "-c", HOLD, str(temporary)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process, temporary / process.stdout.readline().strip()
        process.stdin.close()


def test_a_folder_is_there_within_and_gone_after(temporary):
    with scratch_folder("scratch-") as folder:
        assert folder.parent == temporary and folder.is_dir()
    assert not list(temporary.iterdir())


def test_a_folder_of_a_living_process_stays(holder):
    _, folder = holder
    with scratch_folder("scratch-"), scratch_folder("scratch-"):
        assert (folder / "0.npy").read_bytes() == b"numbers"


def test_a_folder_of_a_killed_process_is_removed(holder, temporary):
    process, folder = holder
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (folder / "0.npy").exists()
    with scratch_folder("scratch-"):
        assert not folder.exists()
    assert not list(temporary.iterdir())


def test_without_locks_the_process_that_the_folder_names_decides(holder, monkeypatch):
    monkeypatch.setattr("sensorium.files.lock.fcntl", None)
    process, folder = holder
    with scratch_folder("scratch-"):
        assert folder.exists()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with scratch_folder("scratch-"):
        assert not folder.exists()


def test_what_others_put_there_stays(temporary):
    """A folder without a lock, a link to a folder, and a lock that is a link."""
    (temporary / "scratch-mine").mkdir()
    (temporary / "scratch-linked-lock").mkdir()
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / ".sensorium-lock").touch()
    (temporary / "scratch-link").symlink_to(temporary / "elsewhere")
    (temporary / "scratch-linked-lock" / ".sensorium-lock").symlink_to(temporary / "elsewhere" / ".sensorium-lock")
    before = sorted(temporary.iterdir())
    with scratch_folder("scratch-"):
        pass
    assert sorted(temporary.iterdir()) == before
    assert (temporary / "elsewhere" / ".sensorium-lock").exists()
