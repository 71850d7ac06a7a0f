"""A cell's path leads to a file inside the table's folder, or says why not."""

import pytest

from sensorium.findings import Unreadable
from sensorium.table import Files

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "sub").mkdir(parents=True)
    (tmp_path / "data" / "sub" / "a.png").write_bytes(b"x")
    (tmp_path / "data" / "empty.png").touch()
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "data" / "link.png").symlink_to(tmp_path / "secret.png")
    return tmp_path / "data"


def test_paths_inside_are_found(folder):
    assert Files(folder).path("sub/a.png").read_bytes() == b"x"
    assert Files(folder).path("sub/../sub/a.png").is_file()
    assert Files(folder).path(str(folder / "sub" / "a.png")).is_file()


@pytest.mark.parametrize("cell", ["../secret.png", "link.png", "/etc/passwd", "sub/../../secret.png"])
def test_paths_outside_are_refused_unless_allowed(folder, cell):
    with pytest.raises(Unreadable, match="outside the table's folder") as caught:
        Files(folder).path(cell)
    assert "allow_outside=true" in caught.value.cure
    assert Files(folder, allow_outside=True).path(cell).is_file()


def test_a_sibling_folder_with_the_same_beginning_is_outside(folder):
    (folder.parent / "data2").mkdir()
    (folder.parent / "data2" / "a.png").write_bytes(b"x")
    with pytest.raises(Unreadable, match="outside"):
        Files(folder).path("../data2/a.png")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("none.png", "the file does not exist"),
        ("sub", "the file does not exist"),
        ("empty.png", "0 bytes"),
        ("a\0b", "NUL"),
    ],
)
def test_what_is_no_file_has_a_reason(folder, cell, reason):
    with pytest.raises(Unreadable, match=reason):
        Files(folder).path(cell)
