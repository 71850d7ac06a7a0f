"""A cache that is damaged, half removed, shared or not writable: the same arrays as without one, or an error."""

import errno
import os
import random
import resource
import tempfile
import traceback
from contextlib import suppress
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import sensorium
from sensorium.config import PrepareConfig
from sensorium.errors import StoreError
from sensorium.files.caches import discard
from sensorium.modalities import Ragged, Work
from sensorium.prepare import kept, open_store
from sensorium.prepare.store import Store
from sensorium.registry import modalities
from sensorium.table import open_table
from tiers import spread

ROWS, ROOM = 24, 10**9
FILES = (kept.VALUES, kept.PRESENT, kept.LENGTHS, kept.JOURNAL, kept.DONE)
KINDS = {"image": "image", "sound": "audio"}


@pytest.fixture(scope="module")
def table():
    """Pictures and sounds; every seventh file is broken. Other users may read it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        draw, lines = np.random.default_rng(0), ["image,sound,label"]
        for row in range(ROWS):
            Image.fromarray(draw.integers(0, 256, (12, 12, 3), np.uint8)).save(f"{folder}/{row}.png")
            soundfile.write(f"{folder}/{row}.wav", draw.normal(size=2000 + 50 * row) / 10, 8000)
            if row % 7 == 0:
                Path(f"{folder}/{row}.png").write_text("no picture")
            lines.append(f"{row}.png,{row}.wav,{'ab'[row % 2]}")
        path = Path(folder, "t.csv")
        path.write_text("\n".join(lines))
        yield path


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(kept, "CHUNK", 8)


@pytest.fixture
def open_folder():
    """A folder that other users may reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def learnt(table, name="image", **options):
    column = open_table(table).column(name)
    return modalities.load(KINDS[name]).learn(column, **options), column


def content(encoded):
    """All that an encoded column holds, as bytes."""
    values = encoded.values
    arrays = [values.values, values.offsets] if isinstance(values, Ragged) else [values]
    return [(str(a.dtype), a.shape, a.tobytes()) for a in [encoded.present, *arrays]], list(encoded.problems)


def flip(path, draw):
    """One bit of the file is another."""
    found = bytearray(path.read_bytes())
    found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    path.write_bytes(found)


DAMAGES = {
    "flipped": flip,
    "cut": lambda path, draw: os.truncate(path, draw.randrange(path.stat().st_size)),
    "longer": lambda path, draw: path.write_bytes(path.read_bytes() + b"\0" * draw.randrange(1, 9)),
    "emptied": lambda path, draw: path.write_bytes(b""),
    "removed": lambda path, draw: path.unlink(),
}


EVERYDAY = [(name, damage) for name, damage in product(KINDS, DAMAGES) if name == "image" or damage == "flipped"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage"), spread(product(KINDS, DAMAGES), EVERYDAY))
def test_a_damaged_column_is_noticed_reported_once_and_prepared_again(name, damage, table, tmp_path):
    modality, column = learnt(table, name)
    plain, said, draw = content(modality.encode(column)), [], random.Random(0)
    store = Store(tmp_path, ROOM, log=said.append)
    store.encode(modality, column)
    for file in [file for file in FILES if file != kept.LENGTHS or name == "sound"]:
        for _ in range(5 if damage == "flipped" else 2):
            DAMAGES[damage](tmp_path / store.key(modality, column) / file, draw)
            said.clear()
            assert content(store.encode(modality, column)) == plain, file
            expected = 0 if (damage, file) == ("removed", kept.DONE) else 1  # as after a kill just before the end
            assert ["damaged" in text for text in said] == [True] * expected, (file, said)
            assert content(store.encode(modality, column)) == plain
            assert len(said) == expected
    assert {path.name for path in tmp_path.iterdir()} == {store.key(modality, column) + end for end in ("", ".lock")}


@pytest.mark.parametrize("name", KINDS)
def test_what_a_killed_run_left_is_checked_before_it_is_gone_on_with(name, table, tmp_path):
    modality, column = learnt(table, name)
    plain, store, draw = content(modality.encode(column)), Store(tmp_path, ROOM), random.Random(1)
    folder = tmp_path / store.key(modality, column)
    for damage in DAMAGES.values():
        for file in (kept.VALUES, kept.PRESENT, kept.JOURNAL):
            store.encode(modality, column)
            (folder / kept.DONE).unlink()
            damage(folder / file, draw)
            assert content(store.encode(modality, column)) == plain


def test_arrays_in_use_outlive_damage_and_removal(table, tmp_path):
    modality, column = learnt(table)
    store = Store(tmp_path, ROOM)
    before = store.encode(modality, column)
    plain, folder = content(before), tmp_path / store.key(modality, column)
    os.truncate(folder / kept.PRESENT, 1)
    store.encode(modality, column)
    discard(folder)
    assert content(before) == plain


def fit(table, **settings):
    return sensorium.fit(table, "label", epochs=2, **settings)


def weights(model):
    return [value.tolist() for value in model.fitted.network.state_dict().values()]


def test_a_run_on_a_damaged_cache_gives_the_same_model_and_says_so(table, tmp_path, capsys):
    settings = {"columns": ["image"], "prepare": {"store": str(tmp_path)}}
    first = weights(fit(table, **settings))
    (values,) = tmp_path.glob(f"*/{kept.VALUES}")
    values.write_bytes(bytes(values.stat().st_size))
    capsys.readouterr()
    assert weights(fit(table, **settings)) == first
    assert capsys.readouterr().err.count("is damaged") == 1


def test_features_of_a_frozen_encoder_are_checked_too(tmp_path, capsys):
    words = ["red round apple", "green long bean", "red hot chili", "green round pea"]
    table = {"text": [f"{words[n % 4]} number {n}" for n in range(60)], "label": ["ab"[n % 2] for n in range(60)]}
    settings = {"encoders": {"text": "text_tfidf"}, "prepare": {"store": str(tmp_path)}}
    first = weights(fit(table, **settings))
    for values in tmp_path.glob(f"*/{kept.VALUES}"):
        flip(values, random.Random(2))
    capsys.readouterr()
    assert weights(fit(table, **settings)) == first
    assert capsys.readouterr().err.count("is damaged") == 1


# Removing


def test_what_a_killed_removal_left_is_swept_and_nothing_else(table, tmp_path):
    mine, linked = tmp_path / "store" / "my pictures", tmp_path / "elsewhere"
    for folder in (mine, linked):
        folder.mkdir(parents=True)
        (folder / "large.bin").write_bytes(bytes(10**6))
    (modality, column), store = learnt(table), Store(tmp_path / "store", 1)
    for size in (8, 9):
        store.encode(*learnt(table, size=size))
    half = store.folder / f"{store.key(modality, column)}.gone-0"
    half.mkdir()
    (half / kept.PRESENT).touch()
    (store.folder / ("0" * 32)).symlink_to(linked)
    store.encode(modality, column)
    folders = {path.name for path in store.folder.iterdir() if path.is_dir()}
    assert folders == {mine.name, store.key(modality, column)}
    assert (mine / "large.bin").exists()
    assert (linked / "large.bin").exists()


def in_children(*works):
    """Each in a forked process of its own; their exit codes."""
    children = []
    for work in works:
        child = os.fork()
        if not child:
            try:
                work()
                os._exit(0)
            except BaseException:  # noqa: BLE001 - this process ends here, whatever it is
                traceback.print_exc()
                os._exit(1)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


@pytest.mark.slow
def test_processes_that_remove_one_another_s_columns_have_right_arrays(table, tmp_path):
    jobs = [learnt(table, size=size) for size in range(4, 10)]
    plain = [content(modality.encode(column)) for modality, column in jobs]

    def work(seed):
        draw, store = random.Random(seed), Store(tmp_path, 1000)
        for _ in range(40):
            place = draw.randrange(len(jobs))
            assert content(store.encode(*jobs[place])) == plain[place]

    assert in_children(*(lambda seed=seed: work(seed) for seed in range(4))) == [0] * 4


# Folders that cannot be used


def as_another_user(work):
    """In a process without the rights of this one; its exit code."""

    def dropped():
        if not os.getuid():
            os.setgid(65534)
            os.setuid(65534)
        work()

    return in_children(dropped)[0]


def read_only(folder):
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_whole_column_of_a_read_only_cache_is_used(table, open_folder, monkeypatch):
    modality, column = learnt(table)
    plain = content(Store(open_folder, ROOM).encode(modality, column))
    read_only(open_folder)

    def work():
        monkeypatch.setattr(type(modality), "decode", None)  # from here on nothing can be decoded
        assert content(Store(open_folder, ROOM).encode(modality, column)) == plain

    assert as_another_user(work) == 0
    open_folder.chmod(0o777)


@pytest.mark.parametrize("left", ["nothing", "a part", "damaged", "unreadable"])
def test_another_user_s_cache_is_gone_on_without_if_it_was_not_asked_for(left, table, open_folder):
    modality, column = learnt(table)
    store = Store(open_folder, ROOM)
    plain, folder = content(store.encode(modality, column)), open_folder / store.key(modality, column)
    if left == "nothing":
        discard(folder)
    elif left == "a part":
        (folder / kept.DONE).unlink()
    elif left == "damaged":
        os.truncate(folder / kept.VALUES, 1)
    read_only(open_folder)
    if left == "unreadable":
        (folder / kept.VALUES).chmod(0)

    def work():
        said = []
        optional = Store(open_folder, ROOM, log=said.append, optional=True)
        assert content(optional.encode(modality, column)) == plain
        assert "not kept" in said[-1]
        with pytest.raises(StoreError, match="Permission denied"):
            Store(open_folder, ROOM).encode(modality, column)

    assert as_another_user(work) == 0
    open_folder.chmod(0o777)
    assert folder.exists() == (left != "nothing"), "what is only unreadable stays"


class Said(list):
    """A reporter that remembers."""

    def log(self, text):
        self.append(text)


@pytest.mark.parametrize("place", ["file", "below a file", "broken link"])
def test_a_default_cache_that_can_t_be_made_is_said_and_gone_on_without(place, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "broken link").symlink_to(tmp_path / "nowhere")
    folder = tmp_path / "file" / "cache" if place == "below a file" else tmp_path / place
    monkeypatch.setenv("SENSORIUM_CACHE", str(folder))
    said = Said()
    assert open_store(PrepareConfig(), said) is None
    assert ["not kept" in text for text in said] == [True]
    with pytest.raises(StoreError, match="cannot store prepared columns"):
        open_store(PrepareConfig(store=str(folder)), said)


def test_a_link_to_a_folder_is_a_folder(table, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    modality, column = learnt(table)
    open_store(PrepareConfig(store=str(tmp_path / "link")), Said()).encode(modality, column)
    assert list((tmp_path / "there").glob(f"*/{kept.DONE}"))


def test_without_a_home_nothing_is_kept(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    for name in ("SENSORIUM_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    said = Said()
    assert open_store(PrepareConfig(), said) is None
    assert "SENSORIUM_CACHE" in said[0]


@pytest.mark.parametrize("name", KINDS)
def test_a_disk_that_is_full_at_any_write(name, table, tmp_path, monkeypatch):
    """Each write in turn finds no room: an error or no cache, and afterwards the column is gone on with."""
    modality, column = learnt(table, name)
    plain, plain_fsync = content(modality.encode(column)), os.fsync
    left = [0]

    def fsync(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        plain_fsync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for number in range(100):
        left[0] = number
        folder = tmp_path / str(number)
        folder.mkdir()
        with suppress(StoreError):
            Store(folder, ROOM).encode(modality, column)
            assert number > 10
            break
        left[0], said = 0, []
        assert content(Store(folder, ROOM, log=said.append, optional=True).encode(modality, column)) == plain
        assert any("held in memory" in text for text in said) or any(folder.glob(f"*/{kept.DONE}"))
        left[0] = 1000
        assert content(Store(folder, ROOM).encode(modality, column)) == plain
    else:
        pytest.fail("no write was the last")


def test_a_process_without_room_for_open_files_takes_nothing_for_damaged(table, tmp_path):
    modality, column = learnt(table)
    store, said = Store(tmp_path, ROOM), []
    plain = content(store.encode(modality, column))
    before = (tmp_path / store.key(modality, column) / kept.DONE).stat().st_ino
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 3, limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        os.close(taken.pop())
        with pytest.raises(StoreError, match="Too many open files"):
            Store(tmp_path, ROOM, log=said.append).encode(modality, column)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for handle in taken:
            os.close(handle)
    assert content(store.encode(modality, column)) == plain
    assert (tmp_path / store.key(modality, column) / kept.DONE).stat().st_ino == before
    assert not said


def test_few_open_files_suffice(table, tmp_path):
    jobs = [learnt(table, name) for name in KINDS]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    try:
        store = Store(tmp_path, ROOM)
        found = [[content(store.encode(m, c, Work())) for m, c in jobs] for _ in range(10)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert found == [[content(m.encode(c)) for m, c in jobs]] * 10
