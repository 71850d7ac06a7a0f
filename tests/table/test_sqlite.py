"""SQLite files: the only table, a named one, or what a query selects; the file is never changed."""

import sqlite3
from contextlib import closing

import pytest

import sensorium
from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table import open_table


@pytest.fixture
def database(tmp_path):
    """Films, whose years are numbers and a word, and who has seen them."""
    path = tmp_path / "films.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE film (title TEXT, year, minutes REAL, poster BLOB, genre TEXT)")
        films = [(f"film {k}", 1990 + k, 90.5 + k, b"\x89PNG", "ab"[k % 2]) for k in range(40)]
        films[3] = ("a lost film", "unknown", None, None, "b")
        connection.executemany("INSERT INTO film VALUES (?, ?, ?, ?, ?)", films)
    return path


def add_table(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE "seen by" (title TEXT, person TEXT)')
        connection.execute("""INSERT INTO "seen by" VALUES ('film 1', 'Ada')""")


def read(path, query=None):
    return open_table(path, TableConfig(query=query))


def test_the_only_table_is_read(database):
    before = database.read_bytes()
    table = read(database)
    assert table.columns == ["title", "year", "minutes", "poster", "genre"]
    assert len(table) == 40
    assert table.column("year").data.to_pylist()[2:5] == ["1992", "unknown", "1994"]
    assert table.column("minutes").data.to_pylist()[3] is None
    assert table.column("poster").data.to_pylist()[0] == b"\x89PNG"
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
        ("SELECT absent FROM film", "no such column"),
        ("SELEC * FROM film", "syntax error"),
        ("DROP TABLE film", "readonly"),
        ("SELECT title, title FROM film", "2 columns are called 'title'"),
        ("SELECT * FROM film WHERE year = 1", "no rows"),
        ("PRAGMA user_version = 3", "readonly|selects nothing"),
    ],
)
def test_what_cannot_be_read_is_told(query, message, database):
    add_table(database)
    with pytest.raises(TableError, match=message):
        read(database, query)


@pytest.mark.parametrize("content", [b"no database", b"", b"SQLite format 3\0" + b"x" * 200])
def test_what_is_no_database_is_told(content, tmp_path):
    path = tmp_path / "t.db"
    path.write_bytes(content)
    with pytest.raises(TableError):
        read(path)


def test_a_query_for_what_is_no_database_is_an_error(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match="take no query"):
        read(tmp_path / "t.csv", "SELECT 1")
