"""What was decoded once is kept: the same arrays, whatever kills, fills or shares the folder."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import sensorium
from sensorium.errors import DataError, StoreError
from sensorium.modalities import Ragged, Work
from sensorium.prepare import chunks, kept
from sensorium.prepare.kept import FORMAT
from sensorium.prepare.store import Store
from sensorium.registry import modalities
from sensorium.table import open_table

ROWS = 60
ROOM = 10**9

# Prepares a column slowly, so that it can be killed at any point of the work.
SLOW = """
import sys, time
from pathlib import Path
from sensorium.modalities.image import Image
from sensorium.prepare import kept
from sensorium.prepare.kept import FORMAT
from sensorium.prepare.store import Store
from sensorium.table import open_table

plain = Image.decode
Image.decode = lambda self, source: (time.sleep(0.02), plain(self, source))[1]
kept.CHUNK = 4
table = open_table(sys.argv[1])
column = table.column("image")
modality = Image.learn(column, size=16)
print("ready", flush=True)
input()
Store(Path(sys.argv[2]), 10**9, log=print).encode(modality, column)
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Pictures and sounds of unequal length; every seventh file is broken, every tenth cell is empty."""
    folder, random = tmp_path_factory.mktemp("table"), np.random.default_rng(0)
    lines = ["image,sound"]
    for row in range(ROWS):
        Image.fromarray(random.integers(0, 256, (20, 20, 3), np.uint8)).save(folder / f"{row}.png")
        soundfile.write(folder / f"{row}.wav", random.normal(size=2000 + 50 * row) / 10, 8000)
        if row % 7 == 0:
            (folder / f"{row}.png").write_text("no picture")
            (folder / f"{row}.wav").write_text("no sound")
        lines.append(f"{row}.png,{row}.wav" if row % 10 else ",")
    path = folder / "t.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(kept, "CHUNK", 8)


def learnt(table, name="image", **options):
    column = open_table(table).column(name)
    return modalities.load({"image": "image", "sound": "audio"}[name]).learn(column, **options), column


def print_of(encoded):
    """A hash of all that an encoded column holds."""
    arrays = [encoded.present]
    if isinstance(encoded.values, Ragged):
        arrays += [encoded.values.values, encoded.values.offsets]
    else:
        arrays.append(encoded.values)
    found = hashlib.sha256(repr(encoded.problems).encode())
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("name", ["image", "sound"])
def test_what_is_kept_is_what_was_encoded(name, table, tmp_path, monkeypatch):
    modality, column = learnt(table, name)
    plain, store = modality.encode(column), Store(tmp_path, ROOM)
    assert print_of(store.encode(modality, column)) == print_of(plain)
    monkeypatch.setattr(type(modality), "decode", None)  # from here on nothing can be decoded
    again = store.encode(modality, column)
    assert print_of(again) == print_of(plain)
    assert [p.row for p in again.problems] == [row for row in range(ROWS) if row % 7 == 0 and row % 10]


def decoded(modality, column, store, monkeypatch):
    """How many files are decoded to encode the column."""
    count, plain = [], type(modality).decode
    with monkeypatch.context() as patch:
        patch.setattr(type(modality), "decode", lambda self, source: (count.append(1), plain(self, source))[1])
        store.encode(modality, column)
    return len(count)


def test_other_options_other_files_and_other_rows_are_decoded_anew(table, tmp_path, monkeypatch):
    store, (modality, column) = Store(tmp_path, ROOM), learnt(table)
    every = decoded(modality, column, store, monkeypatch)
    assert every == ROWS - ROWS // 10
    assert decoded(learnt(table, size=8)[0], column, store, monkeypatch) == every
    assert decoded(modality, column.slice(0, 30), store, monkeypatch) == 27
    changed = table.parent / "1.png"
    os.utime(changed, ns=(0, changed.stat().st_mtime_ns + 1))
    assert decoded(modality, column, store, monkeypatch) == every
    assert decoded(modality, column, store, monkeypatch) == 0


def test_a_column_that_an_older_version_stored_is_decoded_anew(table, tmp_path, monkeypatch):
    store, (modality, column) = Store(tmp_path, ROOM), learnt(table)
    with monkeypatch.context() as patch:
        patch.setattr("sensorium.prepare.store.FORMAT", FORMAT - 1)
        assert decoded(modality, column, store, monkeypatch) > 0
    assert decoded(modality, column, store, monkeypatch) > 0
    assert decoded(modality, column, store, monkeypatch) == 0


@pytest.mark.parametrize("identify", ["stat", "content"])
@pytest.mark.parametrize("spell", ["'{}'", " {} ", "file://{}", "%2E/{}", ".\\{}", "{}?v=2"])
def test_a_file_in_another_spelling_of_its_path_is_decoded_anew_when_it_changes(spell, identify, tmp_path, monkeypatch):
    name = str(tmp_path / "a b.png") if spell.startswith("file") else "a b.png"
    cells = [spell.format(name), "plain.png"]
    for color, file in enumerate(("a b.png", "plain.png")):
        Image.new("RGB", (9, 9), (color, color, color)).save(tmp_path / file)
    table = tmp_path / "t.jsonl"
    table.write_text("".join(json.dumps({"image": cell}) + "\n" for cell in cells))
    store, (modality, column) = Store(tmp_path / "store", ROOM, identify), learnt(table)
    assert decoded(modality, column, store, monkeypatch) == 2
    assert decoded(modality, column, store, monkeypatch) == 0
    Image.new("RGB", (12, 12), "red").save(tmp_path / "a b.png")
    assert print_of(store.encode(modality, column)) == print_of(modality.encode(column))


def test_cells_of_bytes_beside_parts_of_files_are_distinguished(tmp_path):
    """Such a column has the fields of a part in every row, without a value where the cell holds bytes."""
    file = tmp_path / "grey.bmp"

    def column(shade):
        Image.new("RGB", (9, 9), (shade, 9, 9)).save(file)
        held = {"bytes": file.read_bytes(), "path": None, "offset": None, "size": None}
        part = {"bytes": None, "path": "black.bmp", "offset": 0, "size": len(held["bytes"])}
        return open_table(pa.table({"image": [held, part, held]}), folder=tmp_path).column("image")

    Image.new("RGB", (9, 9), "black").save(tmp_path / "black.bmp")
    store, modality = Store(tmp_path / "store", ROOM), modalities.load("image").learn(column(50))
    for shade in (50, 200):
        found = store.encode(modality, column(shade))
        assert not found.problems and print_of(found) == print_of(modality.encode(column(shade)))


def test_a_part_of_a_file_without_its_size_is_missing(tmp_path):
    column = open_table(pa.table({"image": [{"path": "0.png", "offset": 0}] * 2}), folder=tmp_path).column("image")
    found = Store(tmp_path, ROOM).encode(modalities.load("image").learn(column), column)
    assert [problem.row for problem in found.problems] == [0, 1] and not found.present.any()


def test_by_content_a_file_that_was_only_touched_is_the_same(table, tmp_path, monkeypatch):
    store, (modality, column) = Store(tmp_path, ROOM, "content"), learnt(table)
    assert decoded(modality, column, store, monkeypatch) > 0
    os.utime(table.parent / "2.png", ns=(0, 1))
    assert decoded(modality, column, store, monkeypatch) == 0
    Image.new("RGB", (20, 20), "red").save(table.parent / "2.png")
    assert decoded(modality, column, store, monkeypatch) > 0


def test_bytes_are_known_by_their_content(table, tmp_path, monkeypatch):
    cells = [(table.parent / f"{row}.png").read_bytes() for row in range(1, 7)]
    column, turned = (open_table({"image": given}).column("image") for given in (cells, cells[::-1]))
    modality, store = modalities.load("image").learn(column), Store(tmp_path, ROOM)
    assert [decoded(modality, c, store, monkeypatch) for c in (column, column, turned)] == [6, 0, 6]


@pytest.mark.parametrize("name", ["image", "sound"])
def test_other_processes_give_the_same(name, table, tmp_path, monkeypatch):
    modality, column = learnt(table, name)
    plain = print_of(modality.encode(column))
    monkeypatch.setattr(chunks, "ENOUGH", 0)
    done = []
    found = Store(tmp_path, ROOM).encode(modality, column, Work(2, done.append))
    assert print_of(found) == plain
    assert sum(done) == ROWS


def test_a_decoder_that_kills_its_process_is_told(table, tmp_path, monkeypatch):
    class Deadly(modalities.load("image")):
        def decode(self, source):
            return super().decode(source) if os.getpid() == here else os._exit(1)

    here = os.getpid()
    monkeypatch.setattr(chunks, "ENOUGH", 0)
    column = open_table(table).column("image")
    with pytest.raises(DataError, match="a process crashed"):
        Store(tmp_path, ROOM).encode(Deadly.learn(column), column, Work(2))


def start(table, folder):
    """A process that is ready to encode once it gets a line."""
    command = [sys.executable, "-c", SLOW, str(table), str(folder)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    return child


def journal(folder):
    return sum(path.stat().st_size for path in folder.glob(f"*/{kept.JOURNAL}"))


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_with_nothing_lost_and_nothing_doubled(table, tmp_path, monkeypatch):
    modality, column = learnt(table, size=16)
    random = np.random.default_rng(0)
    for _ in range(3):
        child, before = start(table, tmp_path), journal(tmp_path)
        child.stdin.write("\n")
        child.stdin.flush()
        while journal(tmp_path) == before:
            assert child.poll() is None
        time.sleep(random.uniform(0, 0.1))
        child.kill()
        child.communicate()
    store = Store(tmp_path, ROOM)
    assert 0 < decoded(modality, column, store, monkeypatch) < ROWS - ROWS // 10  # the rest only
    assert print_of(store.encode(modality, column)) == print_of(modality.encode(column))


@pytest.mark.slow
@settings(max_examples=25)
@given(data=st.data())
def test_whatever_a_kill_left_of_the_files_the_result_is_the_same(data, table, tmp_path_factory):
    """Files end anywhere behind what the journal's whole lines tell of, the last line anywhere."""
    modality, column = learnt(table, "sound", mels=8)
    column = column.slice(0, 20)
    folder = tmp_path_factory.mktemp("kept")
    column_folder = kept.KeptColumn(folder)
    column_folder.write(modality, column, Work())
    (folder / kept.DONE).unlink()
    lines = (folder / kept.JOURNAL).read_bytes().splitlines(keepends=True)
    whole = data.draw(st.integers(0, len(lines)))
    torn = lines[whole][: data.draw(st.integers(0, len(lines[whole]) - 1))] if whole < len(lines) else b""
    (folder / kept.JOURNAL).write_bytes(b"".join(lines[:whole]) + torn)
    column_folder.write(modality, column, Work())
    assert print_of(column_folder.read("sound")) == print_of(modality.encode(column))


@pytest.mark.slow
def test_four_processes_at_once_make_one_column(table, tmp_path):
    children = [start(table, tmp_path) for _ in range(4)]
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    outputs = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert sum("waiting" in output for output in outputs) == 3
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    modality, column = learnt(table, size=16)
    assert print_of(kept.KeptColumn(folder).read("image")) == print_of(modality.encode(column))


def test_a_full_disk_is_told_and_what_is_there_is_gone_on_with(table, tmp_path, monkeypatch):
    """No file may grow beyond some bytes: what a full disk looks like to the writer."""
    store, (modality, column) = Store(tmp_path, ROOM), learnt(table, size=16)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30 * 16 * 16 * 3, limits[1]))
    try:
        with pytest.raises(StoreError, match="cannot store prepared columns") as caught:
            store.encode(modality, column)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "prepare.store=none" in caught.value.cure
    assert 0 < decoded(modality, column, store, monkeypatch) < ROWS - ROWS // 10
    assert print_of(store.encode(modality, column)) == print_of(modality.encode(column))


def test_what_was_not_used_for_longest_goes_first(table, tmp_path, monkeypatch):
    columns = [learnt(table, size=size) for size in (16, 17, 18)]
    store = Store(tmp_path, round(2.5 * ROWS * 18 * 18 * 3))
    for place, (modality, column) in enumerate(columns):
        store.encode(modality, column)
        os.utime(tmp_path / store.key(modality, column), (place, place))
    used = [decoded(modality, column, store, monkeypatch) > 0 for modality, column in columns[::-1]]
    assert used == [False, False, True]


def fit(table, **prepare):
    path = Path(table).with_name("labelled.csv")
    lines = Path(table).read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},label", *(f"{line},{n % 2}" for n, line in enumerate(lines[1:]))]))
    return sensorium.fit(path, "label", columns=["image"], prepare=prepare, epochs=1)


def test_a_run_uses_the_folder_it_is_told_or_none(table, tmp_path, monkeypatch, capsys):
    fit(table, store=str(tmp_path / "mine"))
    assert len([path for path in (tmp_path / "mine").iterdir() if path.is_dir()]) == 1
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path / "cache"))
    fit(table, store="none")
    assert not (tmp_path / "cache").exists()
    fit(table)
    assert (tmp_path / "cache").is_dir()


def test_a_folder_that_cannot_be_is_an_error_if_it_was_asked_for(table, tmp_path, monkeypatch, capsys):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError, match="cannot store prepared columns"):
        fit(table, store=str(file / "store"))
    monkeypatch.setenv("SENSORIUM_CACHE", str(file / "cache"))
    fit(table)
    assert "not kept" in capsys.readouterr().err
