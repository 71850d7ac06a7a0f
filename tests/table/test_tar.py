"""Tar shards: rows of members, pictures left where they are; what no data set holds is refused."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.errors import TableError
from sensorium.table import open_table

ROWS = 48


def picture(row, suffix="PNG"):
    stream = io.BytesIO()
    Image.fromarray(np.full((16, 16, 3), 40 + 150 * (row % 2), np.uint8)).save(stream, suffix)
    return stream.getvalue()


def add(archive, name, content, **fields):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for field, value in fields.items():
        setattr(member, field, value)
    archive.addfile(member, io.BytesIO(content))


def shard(path, rows):
    with tarfile.open(path, "w") as archive:
        for row in rows:
            key = f"set/{row:04d}"
            add(archive, f"{key}.png", picture(row))
            add(archive, f"{key}.cls", ["night", "day"][row % 2].encode())
            add(archive, f"{key}.json", json.dumps({"caption": f"picture of {row}", "width": 16}).encode())
    return path


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    for number in range(4):
        shard(folder / f"shard-{number:03d}.tar", range(12 * number, 12 * number + 12))
    return folder


@pytest.mark.parametrize("name", ["shard-{000..003}.tar", "shard-*.tar", "."])
def test_shards_are_one_table(name, shards):
    table = open_table(shards / name)
    assert table.columns == ["key", "png", "cls", "caption", "width"]
    assert table.column("key").data.to_pylist() == [f"set/{row:04d}" for row in range(ROWS)]
    assert table.column("cls").data.to_pylist()[:2] == ["night", "day"]
    assert table.column("width").data.to_pylist() == [16] * ROWS
    assert table.arrow.nbytes < 200 * ROWS  # the pictures are not in it


@pytest.mark.parametrize("stream", [False, True])
def test_pictures_are_read_from_their_shards(stream, shards, tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path))
    config = {"prepare": {"stream": stream}}
    model = sensorium.fit(shards / "shard-*.tar", "cls", columns=["png"], epochs=6, config=config, progress=False)
    assert not list(model.fit_problems)
    assert model.test.metrics["accuracy"] == 1
    assert list(model.predict(shards / "shard-000.tar"))[:2] == ["night", "day"]


def test_a_changed_shard_is_decoded_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path / "cache"))
    path = shard(tmp_path / "s.tar", range(40))

    def kept():
        sensorium.fit(path, "cls", columns=["png"], epochs=1, progress=False)
        return sum(folder.is_dir() for folder in (tmp_path / "cache").iterdir())

    assert [kept(), kept()] == [1, 1]
    shard(path, range(2, 42))
    assert kept() == 2


def test_rows_that_lack_a_member_lack_a_cell(tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        add(archive, "a.txt", b"first")
        add(archive, "b.txt", b"second")
        add(archive, "b.seg.png", picture(0))
        add(archive, ".hidden", b"")
        add(archive, "README", b"no ending")
    table = open_table(tmp_path / "s.tar")
    assert table.columns == ["key", "txt", "seg.png"]
    assert table.column("seg.png").data.to_pylist()[0] is None


def test_copies_in_shards_are_found(tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for row in range(40):
            add(archive, f"{row:03d}.png", picture(row))
            add(archive, f"{row:03d}.cls", b"ab"[row % 2 : row % 2 + 1])
    found = sensorium.inspect(tmp_path / "s.tar", target="cls")
    assert found.to_json()["copies"]


ODD = {
    "link": ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "a.png", "is a link"),
    "hard link": ({"type": tarfile.LNKTYPE, "linkname": "b.png"}, "a.png", "is a link"),
    "device": ({"type": tarfile.CHRTYPE}, "a.png", "device"),
    "absolute": ({}, "/etc/a.png", "has a path outside"),
    "above": ({}, "../a.png", "has a path outside"),
    "not JSON": ({}, "a.json", "not JSON"),
    "no UTF-8": ({}, "a.txt", "cannot read"),
}


@pytest.mark.parametrize("name", ODD)
def test_members_that_no_data_set_holds_are_refused(name, tmp_path):
    fields, member, message = ODD[name]
    content = {"not JSON": b"{", "no UTF-8": b"\xff\xfe"}
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        add(archive, "first.txt", b"fine")
        add(archive, member, content.get(name, b""), **fields)
    with pytest.raises(TableError, match=message):
        open_table(tmp_path / "s.tar")


def test_a_name_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        add(archive, "a.txt", b"one")
        add(archive, "a.txt", b"two")
    with pytest.raises(TableError, match="two files for column"):
        open_table(tmp_path / "s.tar")


@pytest.mark.parametrize("length", [100, 600, 1300])
def test_a_cut_shard_is_refused(length, tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        add(archive, "a.txt", b"x" * 300)
        add(archive, "b.png", bytes(5000))
    whole = (tmp_path / "s.tar").read_bytes()
    (tmp_path / "s.tar").write_bytes(whole[:length])
    with pytest.raises(TableError, match=r"cannot read|incomplete"):
        open_table(tmp_path / "s.tar")


def test_a_compressed_or_missing_shard_is_told(tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w:gz") as archive:
        add(archive, "a.txt", b"one")
    with pytest.raises(TableError, match="cannot read") as caught:
        open_table(tmp_path / "s.tar")
    assert "unpack" in caught.value.cure
    (tmp_path / "t-0.tar").write_bytes(b"")
    with pytest.raises(TableError, match=r"shards do not exist: t-1\.tar"):
        open_table(tmp_path / "t-{0..1}.tar")
    with pytest.raises(TableError, match="shards do not exist"):
        open_table(tmp_path / "nowhere.tar")


def test_a_shard_cut_after_it_was_read_is_a_missing_cell(tmp_path):
    path = shard(tmp_path / "s.tar", range(40))
    table = open_table(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    model = sensorium.fit(table, "cls", columns=["png", "width"], epochs=1, progress=False)
    reasons = {problem.reason for problem in model.fit_problems if problem.column == "png"}
    assert reasons == {"the file is shorter than when the table was read: read as missing"}


DAMAGED = {
    "GNU.sparse.size": {"GNU.sparse.size": "abc"},
    "GNU.sparse.map": {"GNU.sparse.map": "1,x"},
    "GNU.sparse.realsize": {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "-5"},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_extended_header_is_told(name, tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for row in range(4):
            add(archive, f"{row}.txt", b"words", pax_headers=DAMAGED[name] if row == 2 else {})
    with pytest.raises(TableError, match="cannot read the shard"):
        open_table(tmp_path / "s.tar")


@pytest.mark.parametrize(("member", "content"), [("json", b'{"\\ud800": 1}'), ("c\udcff", b"1")])
def test_a_column_whose_name_is_no_unicode_is_told(member, content, tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for row in range(4):
            add(archive, f"{row}.{member}", content)
    with pytest.raises(TableError, match="not Unicode"):
        open_table(tmp_path / "s.tar")


def test_any_damage_of_a_shard_is_told_or_read(tmp_path):
    """Bytes of its headers are changed, some of them to signs of numbers."""
    with tarfile.open(tmp_path / "s.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for row in range(3):
            add(archive, f"{row}.txt", b"words", pax_headers={"GNU.sparse.map": "0,5", "GNU.sparse.realsize": "5"})
    whole, draw, refused = (tmp_path / "s.tar").read_bytes(), np.random.default_rng(0), 0
    for _ in range(300):
        changed = bytearray(whole)
        for place in draw.integers(0, 9 * tarfile.BLOCKSIZE, draw.integers(1, 4)):
            changed[place] = draw.choice([0, 255, ord("-"), ord("9"), draw.integers(256)])
        (tmp_path / "s.tar").write_bytes(changed)
        try:
            open_table(tmp_path / "s.tar")
        except TableError:
            refused += 1
    assert 0 < refused < 300
