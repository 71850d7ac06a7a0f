"""Names that others put there in advance: what a link leads to is neither written to nor removed."""

import os

import pyarrow as pa
import pytest
from test_replace import names, whole, write

from sensorium.artifact import save_fitted
from sensorium.errors import BusyError
from sensorium.files import alone_in, one_writer, replaced_file, replaced_folder, standing, sweep
from sensorium.predictor import load
from sensorium.strategies._search._journal import Journal
from sensorium.table import write_table


@pytest.fixture
def victim(tmp_path):
    """A file of somebody's, outside; it must be as it was at the end."""
    file = tmp_path / "victim"
    file.write_text("precious")
    yield file
    assert file.read_text() == "precious" and not file.is_symlink()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


LINKS = {"symbolic": os.symlink, "hard": os.link, "of nothing": lambda victim, link: link.symlink_to("missing")}


@pytest.mark.parametrize("kind", LINKS)
def test_locks_are_not_written_through_links(kind, victim, folder):
    LINKS[kind](victim, folder / ".sensorium-lock")
    with alone_in(folder):
        assert b"pid" in (folder / ".sensorium-lock").read_bytes()
    LINKS[kind](victim, folder / ".m.sensorium-lock")
    with one_writer(folder / "m"):
        assert b"pid" in (folder / ".m.sensorium-lock").read_bytes()
    assert names(folder) == []


def test_a_lock_that_is_held_and_got_another_name_stays_held(folder):
    with alone_in(folder):
        os.link(folder / ".sensorium-lock", folder / "copy")
        with pytest.raises(BusyError), alone_in(folder):
            raise AssertionError("not reached")


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize(
    "name", [".t.csv.sensorium-new", ".t.csv.sensorium-new-01234567", ".t.csv.sensorium-lock", "t.csv"]
)
def test_answers_are_not_written_through_links(name, kind, victim, folder):
    LINKS[kind](victim, folder / name)
    write_table(pa.table({"a": [1]}), folder / "t.csv")
    assert (folder / "t.csv").read_text() == '"a"\n1\n' and not (folder / "t.csv").is_symlink()
    assert names(folder) == ["t.csv"]


@pytest.mark.parametrize("name", [".m.sensorium-new", ".m.sensorium-old", ".m.sensorium-lock"])
def test_models_are_not_written_through_links(name, run, folder, tmp_path):
    (tmp_path / "foreign").mkdir()
    write(tmp_path / "foreign", "precious")
    (folder / name).symlink_to(tmp_path / "foreign")
    for _ in range(2):
        save_fitted(load(run).fitted, folder / "m")
    assert names(folder) == ["m"] and names(tmp_path / "foreign") == ["first", "last"]
    assert load(folder / "m")


def test_a_link_never_stands_for_a_folder(folder, tmp_path):
    (tmp_path / "foreign").mkdir()
    write(tmp_path / "foreign", "foreign")
    (folder / ".m.sensorium-new").symlink_to(tmp_path / "foreign")
    assert standing(folder / "m", whole) == folder / "m"
    sweep(folder / "m", whole)
    assert names(folder) == [] and whole(tmp_path / "foreign")
    with replaced_folder(folder / "m", whole) as new:
        write(new, "x")
    assert names(folder) == ["m"]


def test_names_of_new_files_can_not_be_known_in_advance(folder):
    seen = set()
    for _ in range(3):
        with replaced_file(folder / "f") as new:
            assert new.exists() and not new.is_symlink()
            seen.add(new.name)
    assert len(seen) == 3


def test_the_journal_of_a_search_is_not_written_through_a_link(victim, folder):
    pytest.importorskip("optuna")
    from sensorium.strategies._search._space import Space

    (folder / "search.journal").symlink_to(victim)
    Journal(Space(names={}, rate=None), {}, 0, folder / "search.journal")
    assert not (folder / "search.journal").is_symlink()
