"""Hostile cells and damaged files: a bad cell is missing with a reason, a bad file is an error that names it."""

import io
import json
import tarfile
import zipfile
from contextlib import nullcontext, suppress

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

import sensorium
from sensorium.errors import TableError
from sensorium.table import open_table, write_table

ROWS = 12


def jsonl(write, cells, **columns):
    """A table whose column `x` holds these cells, among others."""
    rows = [{"x": cell, **{name: values[row] for name, values in columns.items()}} for row, cell in enumerate(cells)]
    return write("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def seen(path, **options):
    return {column.name: column for column in sensorium.inspect(path, every=True, **options).columns}


GOOD = {
    "date": [f"2026-01-{day + 1:02d}" for day in range(ROWS)],
    "vector": [[0.5 * row, 1.0, float(row % 5)] for row in range(ROWS)],
    "tags": [["a", "b"][: 1 + row % 2] for row in range(ROWS)],
    "text": [f"the river {row} and the lake" for row in range(ROWS)],
}
ODD = {
    "an object": {"a": {"b": [1]}}, "an empty object": {}, "an object without a name": {"": None},
    "bytes": {"bytes": 5},
    "a path of another type": {"path": 5}, "a list of objects": [{"a": 1}], "a deep list": [[[[]]]],
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("kind", GOOD)
def test_one_cell_of_another_shape_is_missing_and_the_column_stays(kind, odd, write):
    found = seen(jsonl(write, [*GOOD[kind][:4], odd, *GOOD[kind][5:]]))["x"]
    assert found.modality == kind
    assert "1 cell is read as missing (row 4:" in found.caution
    assert found.missing == 1


def test_odd_items_of_a_list_make_its_cell_missing(write):
    for odd in ([1, {"a": 1}], [1, "x", None], [[1], [2]]):
        found = seen(jsonl(write, [*GOOD["vector"][:4], odd, *GOOD["vector"][5:]]))["x"]
        assert (found.modality, found.missing) == ("vector", 1)


def test_what_people_mix_stays_together(write):
    """Words among numbers, single tags beside lists, and columns of no common shape."""
    for cells in ([1, 2, "50+", 4] * 3, [["a"], "b", ["a", "b"], ["b"]] * 3, [1, [1], {"a": 1}] * 4):
        table = open_table(jsonl(write, cells))
        assert table.column("x").data.null_count == 0


def test_half_a_character_is_a_missing_cell(write):
    path = jsonl(write, [*GOOD["text"][:4], "\ud800", *GOOD["text"][5:]])
    found = seen(path)["x"]
    assert (found.modality, found.missing) == ("text", 1)
    assert "half a character" in found.caution
    assert open_table({"x": ["\ud800", "b"]}).column("x").data.to_pylist() == [None, "b"]


NUMBERS = [0.5 * row for row in range(ROWS)]


@pytest.mark.parametrize(
    "odd", ["9" * 5000, "1e400", "-Infinity", "NaN", "5e-324", "-0.0", "9" * 400], ids=lambda odd: odd[:9]
)
def test_numbers_at_the_edges_are_numbers_or_told(odd, write):
    lines = [f'{{"x": {odd if row == 4 else number}}}' for row, number in enumerate(NUMBERS)]
    found = seen(write("t.jsonl", "\n".join(lines)))["x"]
    assert found.modality == "number"
    lost = odd not in ("5e-324", "-0.0")
    told = found.unreadable or "missing" in f"{found.reason}{found.caution}" or found.missing
    assert bool(told) == lost


def test_edges_of_floats_give_finite_answers():
    table = {"x": [float("nan"), float("inf"), -float("inf"), 5e-324, 1.7e308, -1.7e308, 0.0, -0.0] * 8}
    table |= {"t": [f"words {row % 9}" for row in range(64)], "label": ["a", "b"] * 32}
    model = sensorium.fit(table, "label", epochs=1, progress=False)
    assert np.isfinite(model.predict_proba(table)).all()


def test_names_that_no_table_holds_and_deep_nesting_name_the_file(write):
    for line in (
        '{"\ud800": 1}'.encode("ascii", "backslashreplace").decode(),
        '{"x": ' + "[" * 5000 + "]" * 5000 + "}",
    ):
        path = write("t.jsonl", '{"x": 1}\n' + line + "\n")
        with pytest.raises(TableError, match=r"not valid Unicode|line 2: nested too deeply") as caught:
            open_table(path)
        assert "t.jsonl" in str(caught.value)


def test_a_column_of_lists_that_are_nested_too_deeply_is_left_out(write):
    lines = [f'{{"x": {"[" * 900}{row}{"]" * 900}, "y": {0.5 * row}}}' for row in range(4)]
    found = seen(write("t.jsonl", "\n".join(lines)))
    assert (found["x"].modality, found["y"].modality) == (None, "number")
    assert "nested too deeply" in f"{found['x'].reason} {found['x'].caution}"


PICTURE = {"path": "0.png"}


@pytest.mark.parametrize(
    "part",
    [
        {"path": "0.png", "offset": -5, "size": 9},
        {"path": "0.png", "offset": 0, "size": 2**62},
        {"path": "0.png", "offset": 2**62, "size": 1},
        {"path": "0.png", "offset": 0, "size": None},
        {"path": None, "offset": 0, "size": 5},
    ],
    ids=["before the file", "longer than the file", "behind the file", "without a size", "without a path"],
)
def test_parts_of_files_that_are_not_there_are_missing(part, tmp_path, write):
    noise = np.random.default_rng(0).integers(0, 255, (9, 9, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "0.png")
    found = seen(jsonl(write, [PICTURE, part, PICTURE, PICTURE]), config={"modalities": {"x": "image"}})["x"]
    assert (found.undecodable, len(found.faults)) == (1, 1)
    assert found.faults[0]["rows"] == [1]


def test_metadata_of_a_file_is_not_trusted(tmp_path):
    """What other columns of a reader are told by is read from a file's metadata, which may hold anything."""
    for said in (b"{", b"[1]", b'{"x": 1}', b'{"index": 5}', b"[" * 10_000):
        names = {b"sensorium.origin": said, b"ARROW:extension:metadata": said}
        for kind in (b"pandas.period", b"pandas.interval", b"\xff\xfe"):
            field = pa.field("x", pa.int64(), metadata=names | {b"ARROW:extension:name": kind})
            schema = pa.schema([field, pa.field("y", pa.int64())], metadata={b"pandas": said})
            parquet.write_table(pa.table([[1, 2, 3], [1, 2, 3]], schema=schema), tmp_path / "t.parquet")
            # Where pandas is imported, its types read the metadata themselves.
            with suppress(TableError) if kind.startswith(b"pandas") else nullcontext():
                assert open_table(tmp_path / "t.parquet").column("y").data.to_pylist() == [1, 2, 3]


def workbook(path, change, **more):
    """A workbook whose sheet is changed, without a checksum that gives it away."""
    write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), path)
    parts = {part: (archive := zipfile.ZipFile(path)).read(part) for part in zipfile.ZipFile(path).namelist()}
    archive.close()
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in {**parts, sheet: change(parts[sheet]), **more}.items():
            made.writestr(name, content)
    return path


def added(rows):
    return lambda sheet: sheet.replace(b"</sheetData>", rows + b"</sheetData>")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "spans 1,048,576 rows and 16,384 columns"),
        (b'<row r="1048576"><c><v>1</v></c></row><row><c r="XFD3"><v>1</v></c></row>', "spans 1,048,576 rows"),
        (b"<row><c\n  s='5' r = 'ZZZZ4294967295'><v>1</v></c></row>", "spans 4,294,967,295 rows"),
        (b" " * 100_000_000, "unpacks from"),
    ],
    ids=["the last cell", "a row and a cell", "beyond all sheets", "packed like a bomb"],
)
def test_workbooks_that_would_take_all_memory_are_refused(rows, words, tmp_path):
    with pytest.raises(TableError, match=words) as caught:
        open_table(workbook(tmp_path / "t.xlsx", added(rows)))
    assert "t.xlsx" in str(caught.value)


FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


@pytest.mark.parametrize("name", ["sheets/s.xml", "worksheets/more/s.xml", "worksheets/sheet1.dat"])
def test_a_sheet_is_looked_through_wherever_it_stands(name, tmp_path):
    path = workbook(tmp_path / "t.xlsx", added(FAR))
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[f"xl/{name}"] = parts.pop("xl/worksheets/sheet1.xml")
    links = "xl/_rels/workbook.xml.rels"
    parts[links] = parts[links].replace(b"worksheets/sheet1.xml", name.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for part, content in parts.items():
            made.writestr(part, content)
    with pytest.raises(TableError, match=f"{name}' spans 1,048,576 rows and 16,384 columns"):
        open_table(path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (FAR.replace(b" r=", b" x-r='A1' r="), "spans 1,048,576 rows"),
        (FAR.replace(b"<c", b"<c q='>'"), "spans 1,048,576 rows"),
        (FAR.replace(b"<", b"<x:").replace(b"<x:/", b"</x:"), "spans 1,048,576 rows"),
        (b"<!--" + b"<c/>" * 600_000 + b'--><row r="12000"><c r="ALL12000"><v>1</v></c></row>', "spans 12,000 rows"),
        (b"<row/>" * 5000 + b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>", "spans 5,004 rows and 1,000 columns"),
        (FAR.replace(b"</row>", b""), "is damaged: mismatched tag"),
        (FAR.replace(b"<c ", b"<c r='A1' "), "is damaged: duplicate attribute"),
    ],
    ids=[
        "another attribute",
        "a bracket",
        "a prefix",
        "a comment",
        "no references",
        "an open row",
        "a reference twice",
    ],
)
def test_no_spelling_of_a_sheet_hides_its_extent(rows, words, tmp_path):
    with pytest.raises(TableError, match=words):
        open_table(workbook(tmp_path / "t.xlsx", added(rows)))


def test_a_sheet_defines_no_entities(tmp_path):
    kind = b'<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet'
    with pytest.raises(TableError, match="document type"):
        open_table(workbook(tmp_path / "t.xlsx", lambda sheet: sheet.replace(b"<worksheet", kind)))


def test_what_is_no_xml_in_a_text_and_empty_cells_far_away_are_read(tmp_path):
    """As some programs write them."""
    rows = b"<row r='4'><c t='inlineStr'><is><t>\x0b</t></is></c></row><row r='1048576'><c r='XFD1048576' s='1'/></row>"
    assert len(open_table(workbook(tmp_path / "t.xlsx", added(rows)))) == 3


def test_a_cell_somewhat_apart_is_no_fault(tmp_path):
    row = b'<row r="3000"><c r="ALL3000"><v>1</v></c></row>'
    assert len(open_table(workbook(tmp_path / "t.xlsx", added(row)))) == 2999


def test_workbooks_with_members_that_lead_out_write_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    path = workbook(tmp_path / "in" / "t.xlsx", lambda sheet: sheet, **{"../evil": b"x", "/tmp/evil": b"x"})
    assert len(open_table(path)) == 2
    assert [found.name for found in tmp_path.rglob("*")] == ["in", "t.xlsx"]


def test_a_workbook_with_a_member_of_no_name_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "t.xlsx"
    write_table(pa.table({"x": [1, 2], "y": ["a", "b"]}), path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in content.items():
            archive.writestr(name, part)
        archive.writestr(zipfile.ZipInfo("x"), b"y")
        archive.filelist[-1].filename = ""
    with pytest.raises(TableError, match=r"t\.xlsx"):
        open_table(path)


def damage(content: bytes) -> dict[str, bytes]:
    half = len(content) // 2
    return {
        "empty": b"",
        "cut": content[: min(half, 700)],
        "noise": content[:16] + bytes(range(256)) * 4,
        "text": b"a,b\n1,2\n",
    }


@pytest.mark.parametrize("how", ["empty", "cut", "noise", "text"])
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather", ".xlsx", ".sqlite", ".duckdb", ".tar"])
def test_a_damaged_file_is_an_error_that_names_it(suffix, how, tmp_path):
    path = tmp_path / f"t{suffix}"
    path.write_bytes(damage(sound(path))[how])
    with pytest.raises(TableError) as caught:
        sensorium.inspect(path)
    assert path.name in str(caught.value)


def sound(path):
    """A whole file of this kind."""
    table = pa.table({"a": list(range(50)), "b": ["x", "y"] * 25})
    if path.suffix in (".sqlite", ".duckdb"):
        import sqlite3

        import duckdb

        connection = (sqlite3 if path.suffix == ".sqlite" else duckdb).connect(str(path))
        connection.execute("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b UNION SELECT 2, 'y'")
        connection.commit()
        connection.close()
    elif path.suffix == ".tar":
        path.write_bytes(shard({"0.json": b'{"a": 1}', "1.json": b'{"a": 2}'}))
    else:
        write_table(table, path)
    return path.read_bytes()


def shard(members, **odd):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in odd.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (shard({"../../0.json": b"{}"}), "has a path outside the archive"),
        (shard({"/etc/0.json": b"{}"}), "has a path outside the archive"),
        (shard({"0.json": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link"),
        (shard({"0.json": b""}, type=tarfile.LNKTYPE, linkname="/etc/passwd"), "is a link"),
        (shard({"0.txt": b"a", "0.TXT": b"c"}), "has two files for column"),
        (shard({"0.json": b"[" * 100_000}), "is not JSON"),
        (shard({"0.txt": b"\xff"}), "cannot read"),
        (shard({"0.txt": bytes(11_000_000)}), "11,000,000 bytes"),
    ],
    ids=["out", "absolute", "symlink", "hard link", "twice", "deep", "no UTF-8", "large"],
)  # fmt: skip
def test_shards_that_no_program_makes_are_refused(content, words, write):
    with pytest.raises(TableError, match=words) as caught:
        open_table(write("t.tar", content))
    assert "t.tar" in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"GIF89a\xff\xff\xff\xff\xf7\x00\x00"], ids=["empty", "cut", "huge"]
)
def test_damaged_gif_files_are_missing(content, tmp_path, write):
    frames = [Image.fromarray(np.full((8, 8), 80 * shade, np.uint8)) for shade in range(3)]
    for row in range(3):
        frames[0].save(tmp_path / f"{row}.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "3.gif").write_bytes(content)
    found = seen(write("t.csv", "x\n" + "".join(f"{row}.gif\n" for row in range(4))))["x"]
    assert (found.modality, found.undecodable) == ("video", 1)
    assert found.faults[0]["rows"] == [3]
