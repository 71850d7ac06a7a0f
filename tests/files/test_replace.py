"""A file or folder is whole under its name at every moment, and nothing is left beside it."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from sensorium.files import one_writer, replace, replaced_file, replaced_folder, standing, sweep
from sensorium.table import write_table

pytestmark = pytest.mark.unit

MARK = "last"


def whole(folder):
    return (folder / MARK).exists()


def write(folder, content):
    (folder / "first").write_text(content)
    (folder / MARK).write_text(content)


def read(folder):
    return [(folder / name).read_text() for name in ("first", MARK)]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it."""


@pytest.fixture
def kill(monkeypatch):
    """kill(n): the process is gone before its n-th change of a name; it has no chance to put anything in order."""
    left = [10**9]

    def mortal(change):
        def changed(*arguments, **options):
            left[0] -= 1
            if left[0] <= 0:
                raise Killed
            return change(*arguments, **options)

        return changed

    for name in ("rename", "replace", "unlink", "mkdir", "rmdir"):
        monkeypatch.setattr(Path, name, mortal(getattr(Path, name)))
    monkeypatch.setattr(replace, "exchange", mortal(replace.exchange))
    for name in ("unlink", "rmdir"):
        monkeypatch.setattr(os, name, mortal(getattr(os, name)))

    def kill(number):
        left[0] = number

    return kill


@pytest.fixture(params=["exchanged at once", "one after the other"])
def way(request, monkeypatch):
    if request.param == "one after the other":
        monkeypatch.setattr(replace, "exchange", lambda one, other: False)
    else:
        (one := Path(request.getfixturevalue("tmp_path")) / "1").mkdir()
        (other := one.with_name("2")).mkdir()
        possible = replace.exchange(one, other)
        one.rmdir(), other.rmdir()
        if not possible:
            pytest.skip("names cannot be exchanged on this file system")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("there", [True, False])
def test_whenever_the_process_is_killed_a_whole_folder_stands_and_the_next_one_finds_order(there, tmp_path, kill):
    path = tmp_path / "m"
    for number in range(1, 20):
        for leftover in (path, tmp_path / ".m.sensorium-new", tmp_path / ".m.sensorium-old"):
            sweep(leftover)
        if there:
            with replaced_folder(path, whole) as new:
                write(new, "old")
        kill(number)
        try:
            with replaced_folder(path, whole) as new:
                write(new, "new")
        except Killed:
            kill(10**9)
            found = standing(path, whole)
            if there or found.exists():
                assert read(found) in (["old", "old"], ["new", "new"])
            before = read(found) if found.exists() else None
            sweep(path, whole)
            assert names(tmp_path) == (["m"] if before else [])
            assert before is None or read(path) == before
            with replaced_folder(path, whole) as new:
                write(new, "newest")
            assert names(tmp_path) == ["m"] and read(path) == ["newest", "newest"]
            shutil.rmtree(path)
        else:
            break
    assert number > 2  # it was killed at several moments


@pytest.mark.usefixtures("way")
def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "m"
    with replaced_folder(path, whole) as new:
        write(new, "old")

    def fail(new):
        write(new, "new")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replaced_folder(path, whole) as new:
        fail(new)
    assert read(path) == ["old", "old"] and names(tmp_path) == ["m"]


def test_an_error_at_the_second_of_two_renames_leaves_a_whole_folder(tmp_path, monkeypatch):
    path, rename = tmp_path / "m", Path.rename
    with replaced_folder(path, whole) as new:
        write(new, "old")
    calls = []

    def failing(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(replace, "exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no"), replaced_folder(path, whole) as new:
        write(new, "new")
    assert read(path) == ["new", "new"] and names(tmp_path) == ["m"]


def test_files_of_others_beside_it_are_left_alone(tmp_path):
    kinds = ("lock", "new", "old", "new-01234567", "old-20260101", "sensorium-new-mine", "sensorium-new.txt")
    others = [f".{name}.{kind}" for name in ("m", "f.csv") for kind in kinds]
    for name in others:
        (tmp_path / name).mkdir()
        write(tmp_path / name, "precious")
    with one_writer(tmp_path / "m"), replaced_folder(tmp_path / "m", whole) as new:
        write(new, "x")
    write_table(pa.table({"a": [1]}), tmp_path / "f.csv")
    assert names(tmp_path) == sorted([*others, "m", "f.csv"])
    assert all(read(tmp_path / name) == ["precious", "precious"] for name in others)


@pytest.mark.parametrize("umask", [0o077, 0o022, 0o002])
def test_permissions_are_those_of_the_umask(umask, tmp_path):
    before = os.umask(umask)
    try:
        with replaced_folder(tmp_path / "m", whole) as new:
            write(new, "x")
        with replaced_file(tmp_path / "f") as new:
            new.write_text("x")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("m", "m/first", "f")]
    assert modes == [0o777 & ~umask, 0o666 & ~umask, 0o666 & ~umask]


def test_a_file_that_was_not_finished_does_not_take_its_place(tmp_path):
    (tmp_path / "f").write_text("old")

    def fail(new):
        new.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replaced_file(tmp_path / "f") as new:
        fail(new)
    assert (tmp_path / "f").read_text() == "old" and names(tmp_path) == ["f"]


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with replaced_file(tmp_path / "pipe") as new:
        new.write_text("x")
    assert os.read(reader, 9) == b"x" and (tmp_path / "pipe").is_fifo()
    os.close(reader)
