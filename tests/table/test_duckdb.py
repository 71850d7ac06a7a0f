"""DuckDB files: the only table, a named one, or what a query selects; no other file is read, none is changed."""

import sys

import pytest

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.table import open_table

engine = pytest.importorskip("duckdb")


@pytest.fixture
def database(tmp_path):
    """Films, one of which has neither a length nor a poster."""
    path = tmp_path / "films.duckdb"
    films = [(f"film {k}", 1990 + k, 90.5 + k, b"\x89PNG", "ab"[k % 2]) for k in range(40)]
    films[3] = ("a lost film", 1993, None, None, "b")
    with engine.connect(str(path)) as connection:
        connection.execute("CREATE TABLE film (title TEXT, year INTEGER, minutes DOUBLE, poster BLOB, genre TEXT)")
        connection.executemany("INSERT INTO film VALUES (?, ?, ?, ?, ?)", films)
    return path


def add_table(path):
    with engine.connect(str(path)) as connection:
        connection.execute('CREATE TABLE "seen by" (title TEXT, person TEXT)')
        connection.execute("""INSERT INTO "seen by" VALUES ('film 1', 'Ada')""")


def read(path, query=None):
    return open_table(path, TableConfig(query=query))


def test_the_only_table_is_read(database):
    before = database.read_bytes()
    table = read(database)
    assert table.columns == ["title", "year", "minutes", "poster", "genre"]
    assert table.column("year").data.to_pylist() == [1990 + k for k in range(40)]
    assert table.column("minutes").data.to_pylist()[2:4] == [92.5, None]
    assert table.column("poster").data.to_pylist()[2:4] == [b"\x89PNG", None]
    assert database.read_bytes() == before


def test_a_table_is_named_or_a_query_written(database):
    add_table(database)
    assert len(read(database, "film")) == 40
    assert read(database, "seen by").column("person").data.to_pylist() == ["Ada"]
    joined = read(database, 'SELECT f.title, person FROM film f JOIN "seen by" s ON s.title = f.title')
    assert joined.arrow.to_pylist() == [{"title": "film 1", "person": "Ada"}]


def test_a_model_is_fitted_from_a_database(database):
    model = sensorium.fit(database, "genre", config={"table": {"query": "film"}}, exclude=["poster"], epochs=1,
                          progress=False)  # fmt: skip
    assert len(model.predict(database)) == 40


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (None, "2 tables\n.*\n  cure: --set table.query=NAME, one of film, seen by"),
        ("flim", "did you mean 'film'"),
        ("SELECT absent FROM film", "absent"),
        ("SELEC * FROM film", "syntax error"),
        ("DROP TABLE film", "selects nothing"),
        ("SELECT 1 AS a; SELECT 2 AS a", "selects nothing"),
        ("SELECT * FROM film WHERE year = 1", "no rows"),
    ],
)
def test_what_cannot_be_read_is_told(query, message, database):
    add_table(database)
    with pytest.raises(TableError, match=message):
        read(database, query)


def test_a_query_reads_no_other_file(database):
    secret = database.parent / "secret.csv"
    secret.write_text("word\nxyzzy\n")
    with pytest.raises(TableError, match="can't be read"):
        read(database, f"SELECT * FROM read_csv('{secret}')")
    with pytest.raises(TableError, match="can't be read"):
        read(database, f"SELECT * FROM '{secret}'")


def test_a_query_cannot_write_a_file(database):
    copy = database.parent / "copy.csv"
    with pytest.raises(TableError):
        read(database, f"COPY film TO '{copy}'")
    assert not copy.exists()


@pytest.mark.parametrize("content", [b"no database", b"\0" * 8 + b"DUCK" + b"x" * 9000])
def test_what_is_no_database_is_told(content, tmp_path):
    path = tmp_path / "t.duckdb"
    path.write_bytes(content)
    with pytest.raises(TableError, match="can't be read"):
        read(path)


def test_without_the_extra_the_install_line_is_told(database, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'sensorium\[duckdb\]'"):
        read(database)
