"""Encodings: what is set, what the file shows, and what is told where they differ."""

import pytest

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table import open_table

pytestmark = pytest.mark.unit

LINES = "name,x\n" + "".join(f"schön müde {i},{i}\n" for i in range(20))


def told(table):
    return " | ".join(problem.reason for problem in table.problems)


def first(table):
    return table.column("name").data[0].as_py()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom", "utf-32", "cp1252", "mac_roman"])
def test_what_is_set_and_right_is_read_without_a_word(encoding, write):
    raw = b"\xff\xfe" + LINES.encode("utf-16-le") if encoding == "utf-16-le-bom" else LINES.encode(encoding)
    table = open_table(write("t.csv", raw), TableConfig(encoding=encoding.removesuffix("-le-bom")))
    assert (table.columns, first(table), table.problems) == (["name", "x"], "schön müde 0", ())


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (LINES.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + LINES.encode("utf-16-be"), "utf-16"),
        (LINES.encode("utf-32"), "utf-32"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "gb18030"])
def test_a_byte_order_mark_is_believed_and_told(raw, name, encoding, write):
    table = open_table(write("t.csv", raw), TableConfig(encoding=encoding))
    assert (table.columns, first(table)) == (["name", "x"], "schön müde 0")
    assert f"byte order mark of {name}" in told(table)


def test_utf8_with_a_mark_keeps_its_first_column_whatever_is_set(write):
    table = open_table(write("t.csv", LINES.encode("utf-8-sig")), TableConfig(encoding="cp1252"))
    assert (table.columns, first(table)) == (["name", "x"], "schön müde 0")
    assert "byte order mark of utf-8" in told(table)


def test_an_encoding_that_garbles_utf8_is_honoured_and_told(write):
    for encoding in ("cp1252", "latin-1", "iso8859-15", "cp850", "mac_roman"):
        table = open_table(write("t.csv", LINES), TableConfig(encoding=encoding))
        assert first(table) != "schön müde 0"
        assert "valid UTF-8" in told(table) and "'schön'" in told(table)
    table = open_table(write("t.jsonl", '{"name": "schön"}\n'), TableConfig(encoding="cp1252"))
    assert "'schÃ¶n'" in told(table)
    assert open_table(write("t.csv", "a,b\n1,2\n"), TableConfig(encoding="cp1252")).problems == ()


def test_control_characters_of_latin_1_are_told(write):
    table = open_table(write("t.csv", "name\n“good”\n".encode("cp1252")), TableConfig(encoding="latin-1"))
    assert "2 bytes are control characters in latin-1" in told(table)


CJK = {
    "gb18030": "这是一部很好的电影",
    "big5": "這是一部很好的電影",
    "shift_jis": "これは良い映画です",
    "euc_jp": "これは良い映画です",
    "euc_kr": "좋은 영화입니다",
    "cp1251": "Хороший фильм",
    "koi8_r": "Хороший фильм",
    "cp1252": "schöne Größe",
}


@pytest.mark.parametrize("encoding", CJK)
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_another_encoding_is_named(encoding, suffix, write):
    text = CJK[encoding]
    lines = f"name,x\n{text},1\n" * 3 if suffix == "csv" else f'{{"name": "{text}"}}\n' * 3
    path = write(f"t.{suffix}", lines.encode(encoding))
    with pytest.raises(TableError, match="not utf-8") as caught:
        open_table(path)
    assert f"table.encoding={encoding} " in caught.value.cure
    assert first(open_table(path, TableConfig(encoding=encoding))) == text


@pytest.mark.parametrize(("encoding", "cure"), [("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")])
def test_utf_16_without_a_mark_is_named(encoding, cure, write):
    path = write("t.csv", LINES.encode(encoding))
    with pytest.raises(TableError, match="UTF-16 without a byte order mark") as caught:
        open_table(path)
    assert f"table.encoding={cure}" in caught.value.cure
    assert first(open_table(path, TableConfig(encoding=cure))) == "schön müde 0"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "shift_jis", "ascii"])
def test_utf8_under_an_encoding_that_fails_is_named(encoding, write):
    with pytest.raises(TableError) as caught:
        open_table(write("t.csv", "name,x\n很好的电影a,1\nhübsch und schön,2\n"), TableConfig(encoding=encoding))
    assert "table.encoding=utf-8" in caught.value.cure


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_text_is_empty(content, write):
    with pytest.raises(TableError, match="empty"):
        open_table(write("t.csv", content))


def test_the_encoding_of_a_file_with_a_long_run_of_letters_is_found_in_one_pass(tmp_path):
    """Words are found in one pass; with a start at each letter, this takes hours."""
    (tmp_path / "t.csv").write_bytes(b"name,file\n" + "Zoë Müller,".encode("cp1252") + b"A" * 10**6 + b"\nx,y\n")
    with pytest.raises(TableError, match=r"table\.encoding=cp1252"):
        open_table(tmp_path / "t.csv")
