"""SQLite files: the only table, a named one, or what a query selects; the file is never changed."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

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
        (None, "2 tables\n.*\n  cure: --set table.query=NAME .Python: .*., one of film, seen by"),
        ("flim", "did you mean 'film'"),
        ("SELECT absent FROM film", "no such column"),
        ("SELEC * FROM film", "begins with SELEC"),
        ("SELECT * FORM film", "syntax error"),
        ("SELECT * FROM film WHERE year = ?", "bindings"),
        ("DROP TABLE film", "may only read"),
        ("SELECT title, title FROM film", "2 columns have the name 'title'"),
        ("SELECT * FROM film WHERE year = 1", "no rows"),
        ("PRAGMA user_version = 3", "may only read"),
        ("-- nothing\n", "does not begin with a word"),
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
    with pytest.raises(TableError, match="do not support queries"):
        read(tmp_path / "t.csv", "SELECT 1")


WRITES = [
    "VACUUM INTO '{new}'",
    "VACUUM  INTO '{new}';",
    "/* SELECT */ VACUUM INTO '{new}'",
    "ATTACH 'file:{new}?mode=rwc' AS other",
    "ATTACH DATABASE '{new}' AS other",
    "CREATE TEMP TABLE t AS SELECT 1",
    "INSERT INTO film (title) VALUES ('new')",
    "WITH x AS (SELECT 1) DELETE FROM film",
    "WITH x AS (SELECT 1) INSERT INTO film (title) SELECT 'new'",
    "REINDEX  film",
    "BEGIN  IMMEDIATE",
    "EXPLAIN SELECT * FROM film",
    "SELECT 1 AS a; ATTACH '{new}' AS other",
    "SELECT load_extension('/usr/lib/evil.so') AS a",
    "SELECT LOAD_EXTENSION('/usr/lib/evil.so') AS a FROM film",
    "SELECT title FROM film WHERE load_extension('evil') IS NULL",
    "SELECT fts3_tokenizer('simple') AS a",
    "SELECT rtreecheck('film') AS a",
    "SELECT * FROM pragma_wal_checkpoint('TRUNCATE')",
    "PRAGMA journal_mode = WAL",
    "WITH a AS (SELECT writefile('{new}', 'x') AS w) SELECT w FROM a",
]


@pytest.mark.parametrize("query", WRITES)
def test_a_query_only_reads(query, database):
    before, new = database.read_bytes(), database.parent / "new.sqlite"
    with pytest.raises(TableError):
        read(database, query.format(new=new))
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("VACUUM INTO 'x'", "begins with VACUUM"),
        ("WITH x AS (SELECT 1) DELETE FROM film", "requires DELETE"),
        ("SELECT load_extension('x') AS a", "calls load_extension"),
        ("SELECT 1 AS a; SELECT 2 AS a", "more than one statement"),
    ],
)
def test_what_a_query_may_not_do_is_told(query, told, database):
    with pytest.raises(TableError, match=told) as caught:
        read(database, query)
    assert caught.value.place == "table.query" and "one SELECT" in caught.value.rule


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT count(*) AS n FROM film;", [{"n": 40}]),
        ("-- how many\nSELECT upper(genre) AS g, count(*) AS n FROM film GROUP BY 1 -- all", None),
        ("WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 3) SELECT n FROM k", None),
        ("SELECT value FROM json_each('[1, 2]')", [{"value": 1}, {"value": 2}]),
        ("SELECT json_extract('{\"a\": 3}', '$.a') AS a", [{"a": 3}]),
        ("SELECT highlight(words, 0, '<', '>') AS h FROM words WHERE words MATCH 'lost'", [{"h": "a <lost> film"}]),
        ("SELECT date('2026-01-01', '+1 day') AS d, round(2.5) AS r, printf('%03d', 7) AS p", None),
        ("VALUES (1, 2)", [{"column1": 1, "column2": 2}]),
    ],
)
def test_queries_that_only_read_are_answered(query, rows, database):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5 (title)")
        connection.execute("INSERT INTO words VALUES ('a lost film')")
    found = read(database, query).arrow.to_pylist()
    assert found == (rows or found) and found


def test_a_query_has_a_limit_of_time(database):
    endless = "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k) SELECT sum(n) AS n FROM k"
    with pytest.raises(TableError, match=r"longer than 0.2 seconds") as caught:
        open_table(database, TableConfig(query=endless, query_timeout=0.2))
    assert "table.query_timeout" in caught.value.cure


# One call of a function of SQLite's own that takes minutes and looks at no clock.
STUCK = "SELECT 1 AS a, instr(zeroblob(20000000), zeroblob(10000000) || x'01') AS b"


@pytest.fixture
def stuck(tmp_path):
    path = tmp_path / "stuck.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE VIEW v AS {STUCK}")
    return path


def inspect(path, *arguments):
    command = [sys.executable, "-m", "sensorium", "inspect", str(path), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("query", [None, STUCK])
def test_a_function_that_does_not_return_has_a_limit_of_time(query, stuck):
    asked = ["--set", f"table.query={query}"] if query else []
    child = inspect(stuck, *asked, "--set", "table.query_timeout=0.5")
    try:
        _, told = child.communicate(timeout=30)
    finally:
        child.kill()
    assert child.returncode == 1 and "longer than 0.5 seconds" in told


def has_open(child, path):
    try:
        return any(link.resolve() == path.resolve() for link in Path(f"/proc/{child.pid}/fd").iterdir())
    except OSError:  # one was closed meanwhile
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at the files that a process has open")
@pytest.mark.parametrize("which", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_a_command_while_a_function_runs(which, stuck):
    child = inspect(stuck)
    try:
        while not has_open(child, stuck):
            assert child.poll() is None
            time.sleep(0.02)
        time.sleep(0.3)
        child.send_signal(signal.Signals[which])
        _, told = child.communicate(timeout=20)
    finally:
        child.kill()
    assert child.returncode == 128 + signal.Signals[which]
    assert told == ("interrupted\n" if which == "SIGINT" else "stopped by SIGTERM\n")


def test_a_view_of_the_file_calls_no_function_with_effects(database):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE VIEW trap AS SELECT load_extension('evil') AS a FROM film")
    with pytest.raises(TableError, match="load_extension"):
        read(database, "trap")


def test_text_that_is_no_utf8_is_a_missing_cell(database):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE film SET title = CAST(x'ff41' AS TEXT) WHERE year IN (1991, 1995)")
    table = read(database)
    assert table.column("title").data.to_pylist()[:3] == ["film 0", None, "film 2"]
    assert table.column("title").data.null_count == 2 and len(table) == 40
    told = [problem.reason for problem in table.problems if problem.column == "title"]
    assert told == ["2 text cells are read as missing: not UTF-8 (first: row 1)"]
    assert read(database, "SELECT CAST(title AS BLOB) t FROM film").column("t").data.to_pylist()[1] == b"\xffA"


def test_a_name_that_is_no_utf8_is_told(database):
    content = database.read_bytes()
    database.write_bytes(content.replace(b"genre TEXT", b"genr\xff TEXT"))
    with pytest.raises(TableError):
        read(database)
    database.write_bytes(content.replace(b"film", b"fil\xff"))
    with pytest.raises(TableError):
        read(database)


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("UPDATE film SET title = 'in the log' WHERE year = 1990")
print("written", flush=True)
input()
"""


@pytest.fixture
def logged(database):
    """The database in WAL mode: SQLite makes files beside it for whoever opens it."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return database


@pytest.fixture
def writer(logged):
    """A process that has it open and has written into its log."""
    command = [sys.executable, "-c", WRITER, str(logged)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "written\n"
    yield child
    child.kill()
    child.communicate()


def listed(path):
    return {each.name: each.read_bytes() for each in path.parent.iterdir()}


def test_reading_a_database_in_wal_mode_leaves_nothing_beside_it(logged):
    before = listed(logged)
    assert len(read(logged)) == 40
    logged.with_name(f"{logged.name}-wal").touch()
    assert len(read(logged)) == 40
    logged.with_name(f"{logged.name}-wal").unlink()
    assert listed(logged) == before and list(before) == [logged.name]


def test_the_log_of_a_database_is_read_and_left_as_it_is(logged, writer):
    before = {*listed(logged)}
    assert read(logged).column("title").data.to_pylist()[0] == "in the log"  # its writer has it open
    assert {*listed(logged)} == before and len(before) == 3
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    logged.with_name(f"{logged.name}-shm").unlink()  # as after a power cut, or a copy
    before = listed(logged)
    assert read(logged).column("title").data.to_pylist()[0] == "in the log"
    assert listed(logged) == before and len(before) == 2


@pytest.mark.parametrize("fails", [False, True])
def test_a_database_that_is_written_while_it_is_read_is_read_again(fails, logged, monkeypatch):
    """The first reading takes it for one that does not change."""
    from sensorium.table import sqlite as module

    select, seen = module._select, []

    def disturbed(connection, query):
        found = select(connection, query)
        seen.append(found)
        if len(seen) == 1:
            with closing(sqlite3.connect(logged)) as other, other:
                other.execute("UPDATE film SET title = 'new' WHERE year = 1990")
            if fails:
                raise sqlite3.DatabaseError("database disk image is malformed")
        return found

    monkeypatch.setattr(module, "_select", disturbed)
    assert read(logged).column("title").data.to_pylist()[0] == "new"
    assert len(seen) == 2


def test_a_table_whose_name_is_bytes_is_no_foreign_error(tmp_path):
    path = tmp_path / "t.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE a (x)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET name = x'61', tbl_name = x'61'")
        connection.commit()
    with pytest.raises(TableError):
        open_table(path)
