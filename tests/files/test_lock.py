"""One process writes in a folder at a time; its end, however it comes, frees the folder."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import sensorium
from sensorium.errors import ArtifactError, BusyError
from sensorium.files import _holder, alone_in, lock, one_writer

HOLD = """
import sys
from pathlib import Path
from sensorium.files import alone_in
with alone_in(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds `tmp_path / "run"`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_second_run_is_rejected_and_told_who_holds_the_folder(holder, tmp_path, tabular):
    since = json.loads((tmp_path / "run" / ".sensorium-lock").read_text())["since"]
    told = rf"process {holder.pid} on \S+, since {since[:16]}"
    for work in (sensorium.fit, sensorium.compare):
        with pytest.raises(BusyError, match=told):
            work(tabular, "label", out=tmp_path / "run", progress=False)
    with pytest.raises(BusyError, match="choose another output"):
        sensorium.fit(tabular, "label", out=tmp_path / "run", budget="5s", progress=False)
    holder.communicate("\n")
    assert holder.returncode == 0
    assert not (tmp_path / "run").exists()  # nothing was written
    with alone_in(tmp_path / "run"):
        assert (tmp_path / "run" / ".sensorium-lock").exists()


def test_a_killed_process_holds_nothing(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / ".sensorium-lock").exists()
    with alone_in(tmp_path / "run"):
        (tmp_path / "run" / "result").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["result"]


@pytest.mark.unit
def test_a_file_that_its_holder_removed_is_no_lock(tmp_path, monkeypatch):
    """Between opening the file and locking it, its holder may be done."""
    path, flock = tmp_path / ".sensorium-lock", lock.fcntl.flock

    def slow(handle, how):
        monkeypatch.setattr(lock.fcntl, "flock", flock)
        path.unlink()
        flock(handle, how)

    monkeypatch.setattr(lock.fcntl, "flock", slow)
    with alone_in(tmp_path):
        assert json.loads(path.read_text())["pid"] == os.getpid()
        with pytest.raises(BusyError), alone_in(tmp_path):
            raise AssertionError("not reached")


@pytest.fixture(params=["no flock", "no locks on this file system"])
def without_locks(request, monkeypatch):
    if request.param == "no flock":
        monkeypatch.setattr(lock, "fcntl", None)
        return

    def refuse(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)


@pytest.mark.unit
@pytest.mark.usefixtures("without_locks")
def test_without_locks_of_the_system_a_file_does(tmp_path):
    told = rf"process {os.getpid()} on (.|\n)*delete .*\.sensorium-lock\.held"
    with alone_in(tmp_path), pytest.raises(BusyError, match=told), alone_in(tmp_path):
        raise AssertionError("not reached")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("without_locks")
def test_without_locks_a_process_of_this_machine_that_is_gone_holds_nothing(tmp_path):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    file = tmp_path / ".sensorium-lock.held"
    file.write_text(json.dumps(_holder.own_mark() | {"pid": int(gone.stdout)}))
    with alone_in(tmp_path):
        pass
    file.write_text(json.dumps(_holder.own_mark() | {"pid": int(gone.stdout), "host": "elsewhere"}))
    with pytest.raises(BusyError, match="on elsewhere"), alone_in(tmp_path):
        raise AssertionError("not reached")


@pytest.mark.unit
def test_writers_of_one_file_wait_for_each_other(tmp_path):
    order, inside = [], threading.Event()

    def write():
        inside.wait(10)
        with one_writer(tmp_path / "m"):
            order.append("second")

    other = threading.Thread(target=write)
    other.start()
    with one_writer(tmp_path / "m"):
        inside.set()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unit
def test_a_writer_that_never_ends_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    with one_writer(tmp_path / "m"), pytest.raises(BusyError), one_writer(tmp_path / "m"):
        raise AssertionError("not reached")


@pytest.mark.unit
def test_a_place_that_cannot_be_written_to_is_told_at_once(tabular, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="cannot create the folder"):
        sensorium.fit(tabular, "label", out=tmp_path / "file" / "run", progress=False)
    with pytest.raises(ArtifactError, match="cannot write to the folder"):
        sensorium.fit(tabular, "label", out=Path("/proc/self"), progress=False)


@pytest.mark.unit
def test_a_run_that_fails_before_it_wrote_anything_leaves_no_folder(tmp_path):
    with pytest.raises(sensorium.SensoriumError, match="the table does not exist"):
        sensorium.fit(tmp_path / "gone.csv", "y", out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
