"""A path is found however a cell spells it; no spelling leads out of the table's folder."""

import unicodedata
from urllib.parse import quote

import pytest

from sensorium.findings import Outside, Unreadable
from sensorium.table import Files

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "my img").mkdir(parents=True)
    (tmp_path / "data" / "my img" / "a b.png").write_bytes(b"x")
    (tmp_path / "data" / "my img" / "é.png").write_bytes(b"x")
    (tmp_path / "data" / "100%.png").write_bytes(b"x")
    (tmp_path / "data" / "a%20b.png").write_bytes(b"literal")
    (tmp_path / "data" / "a b.png").write_bytes(b"decoded")
    (tmp_path / "secret.png").write_bytes(b"x")
    return tmp_path / "data"


SPELLINGS = [
    "my img/a b.png",
    "my img/a b.png ",
    "\t my img/a b.png\n",
    "\ufeffmy img/a b.png\u00a0",
    '"my img/a b.png"',
    "'my img/a b.png' ",
    "“my img/a b.png”",
    "<my img/a b.png>",
    "my%20img/a%20b.png",
    "my img\\a b.png",
    ".\\my img\\a b.png",
    "./my img/a b.png",
    "my img/a b.png?x=1",
    "my%20img/a%20b.png?width=20&v=2#top",
    "file:my img/a b.png",
    "file://my img/a b.png",
    "FILE://{folder}/my img/a b.png",
    "file://{quoted}/my%20img/a%20b.png",
    "file://localhost{quoted}/my%20img/a%20b.png",
    "{folder}/my img/a b.png",
    "{folder}\\my img\\a b.png",
]


@pytest.mark.parametrize("cell", SPELLINGS)
def test_a_file_is_found_by_every_spelling_of_its_path(folder, cell):
    spelt = cell.replace("{folder}", str(folder)).replace("{quoted}", quote(str(folder)))
    assert Files(folder).path(spelt) == folder / "my img" / "a b.png"


def test_the_path_as_it_is_written_comes_first(folder):
    assert Files(folder).path("a%20b.png").read_bytes() == b"literal"
    assert Files(folder).path("100%.png").is_file()
    decomposed = unicodedata.normalize("NFD", "my img/é.png")
    assert Files(folder).path(decomposed).is_file()


@pytest.mark.parametrize(
    "cell",
    [
        "../secret.png",
        "..\\secret.png",
        "%2e%2e/secret.png",
        "..%2fsecret.png",
        "%2e%2e%5csecret.png",
        "file://../secret.png",
        "file://{outside}/secret.png",
        "'../secret.png' ",
        "my img\\..\\..\\secret.png",
        "../secret.png?x=1",
        "{outside}/secret.png",
    ],
)
def test_no_spelling_leads_out_of_the_folder(folder, cell):
    cell = cell.replace("{outside}", str(folder.parent))
    with pytest.raises(Outside, match="outside the table's folder") as caught:
        Files(folder).path(cell)
    assert "table.allow_outside=true" in caught.value.cure
    assert Files(folder, allow_outside=True).path(cell).read_bytes() == b"x"


def test_the_home_folder_is_outside(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    with pytest.raises(Outside):
        Files(folder).path("~/secret.png")
    assert Files(folder, allow_outside=True).path("~/secret.png").is_file()
    assert Files(folder.parent).path("~/secret.png").is_file()


@pytest.mark.parametrize("cell", ["https://example.org/a.png", " s3://bucket/a.png", '"gs://b/a.png"'])
def test_an_address_is_outside(folder, cell):
    with pytest.raises(Outside, match="address") as caught:
        Files(folder).path(cell)
    assert "allow_outside" in caught.value.cure


NOWHERE = ["gone%00.png", "%00", "", "  ", '""', "file://", "C:\\data\\a.png", "%", "~", "?x", "~%00", "~a\0b"]


@pytest.mark.parametrize("cell", NOWHERE)
def test_what_is_nowhere_has_a_reason(folder, cell):
    with pytest.raises(Unreadable):
        Files(folder).path(cell)
