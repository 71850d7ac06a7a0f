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


# An expression, and what is read of it: its value, or as DuckDB prints it.
TYPES = [
    ("'0101'::BIT", "0101"),
    ("['0101'::BIT]", ["0101"]),
    ("123456789012345678901234567890::BIGNUM", "123456789012345678901234567890"),
    ("TIME '10:00:00.5'", "10:00:00.5"),
    ("TIME '24:00:00'", "24:00:00"),
    ("TIMETZ '10:00:00+02'", "10:00:00+02"),
    ("INTERVAL '1 month 2 days'", "1 month 2 days"),
    ("{'at': TIME '24:00:00', 'n': 1}", "{'at': '24:00:00', 'n': 1}"),
    ("{'a': 1, 'b': 'x'}", {"a": 1, "b": "x"}),
    ("1.50::DECIMAL(38, 20)", 1.5),
    ("'a'::ENUM ('a', 'BIT')", "a"),
    ("union_value(n := 5)", 5),
    ("[1, NULL]", [1, None]),
]


def test_every_type_is_read_as_its_value_or_as_text(database):
    columns = ", ".join(f"{expression} AS c{place}" for place, (expression, _) in enumerate(TYPES))
    found = read(database, f"SELECT {columns}").arrow.to_pylist()[0]
    assert {TYPES[int(name[1:])][0]: value for name, value in found.items()} == dict(TYPES)
    query = "SELECT (year % 2)::VARCHAR::BIT AS b, year FROM film ORDER BY year DESC"
    assert read(database, query).column("year").data.to_pylist() == [*range(2029, 1989, -1)]


def test_a_model_is_fitted_from_a_database(database):
    model = sensorium.fit(database, "genre", config={"table": {"query": "film"}}, exclude=["poster"], epochs=1,
                          progress=False)  # fmt: skip
    assert len(model.predict(database)) == 40


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (None, "2 tables\n.*\n  cure: --set table.query=NAME .Python: .*., one of film, seen by"),
        ("flim", "did you mean 'film'"),
        ("SELECT absent FROM film", "absent"),
        ("SELEC * FROM film", "begins with SELEC"),
        ("SELECT * FORM film WHERE", "syntax error"),
        ("DROP TABLE film", "may only read"),
        ("SELECT 1 AS a; SELECT 2 AS a", "2 statements"),
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
    with pytest.raises(TableError, match="cannot read"):
        read(database, f"SELECT * FROM read_csv('{secret}')")
    with pytest.raises(TableError, match="cannot read"):
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
    with pytest.raises(TableError, match="cannot read"):
        read(path)


def test_without_the_extra_the_install_line_is_told(database, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'sensorium\[duckdb\]'"):
        read(database)


ELSEWHERE = [
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_duckdb('{other}', table_name = 'film')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM 'https://127.0.0.1:1/t.parquet'",
    "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')",
    "SELECT * FROM enable_logging('QueryLog', storage = 'file', storage_path = '{folder}/log')",
    "SELECT * FROM enable_profiling(save_location = '{folder}/log')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT getenv('HOME') AS home",
    "SELECT nextval('counter') AS n",
    "SELECT * FROM python_variable",
    "WITH x AS (SELECT 1) INSERT INTO film (title) SELECT 'new'",
    "EXPLAIN ANALYZE SELECT * FROM film",
    "COPY film TO '{folder}/log'",
    "ATTACH '{folder}/log' AS other",
    "INSTALL  httpfs",
    "LOAD  httpfs",
    "SET  enable_external_access = true",
    "PRAGMA  enable_profiling",
    "EXPORT DATABASE '{folder}/log'",
    "CALL  enable_logging()",
]


@pytest.mark.parametrize("query", ELSEWHERE)
def test_a_query_reads_this_file_alone_and_writes_none(query, database):
    import pandas as pd

    python_variable = pd.DataFrame({"secret": ["xyzzy"]})
    folder = database.parent
    (folder / "secret.csv").write_text("word\nxyzzy\n")
    with engine.connect(str(folder / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE film AS SELECT 'xyzzy' AS word")
    with engine.connect(str(database)) as connection:
        connection.execute("CREATE SEQUENCE counter")
    before = sorted(folder.iterdir())
    with pytest.raises(TableError):
        read(database, query.format(secret=folder / "secret.csv", other=folder / "other.duckdb", folder=folder))
    assert sorted(folder.iterdir()) == before
    assert len(python_variable) == 1


def test_a_view_reads_no_other_file(database):
    secret = database.parent / "secret.csv"
    secret.write_text("word\nxyzzy\n")
    with engine.connect(str(database)) as connection:
        connection.execute(f"CREATE VIEW trap AS SELECT * FROM read_csv('{secret}')")
    with pytest.raises(TableError, match="cannot read"):
        read(database, "trap")


@pytest.mark.parametrize(
    "query", ["FROM film SELECT title", "(SELECT title FROM film);", "/* all */ SELECT title FROM film"]
)
def test_what_selects_is_answered(query, database):
    assert len(read(database, query)) == 40


def test_a_query_has_a_limit_of_time(database):
    endless = "SELECT sum(a.range * b.range) AS n FROM range(1000000) a, range(10000000) b"
    with pytest.raises(TableError, match=r"longer than 0.3 seconds"):
        open_table(database, TableConfig(query=endless, query_timeout=0.3))


WIDE = 2**127 - 1
WIDEST = 2**128 - 1


def test_whole_numbers_of_39_digits_are_text_and_told(database):
    with engine.connect(str(database)) as connection:
        connection.execute(f"""CREATE TABLE wide AS SELECT i::HUGEINT small, (-i)::HUGEINT "mi nus",
            CASE i WHEN 3 THEN {WIDE}::HUGEINT ELSE i::HUGEINT END high,
            CASE i WHEN 3 THEN -{WIDE}::HUGEINT END low,
            CASE i WHEN 3 THEN {WIDEST}::UHUGEINT ELSE i::UHUGEINT END highest FROM range(5) t(i)""")
    table = read(database, "wide")
    assert table.column("small").data.to_pylist() == [0, 1, 2, 3, 4]
    assert table.column("mi nus").data.to_pylist() == [0, -1, -2, -3, -4]
    assert table.column("high").data.to_pylist() == ["0", "1", "2", str(WIDE), "4"]
    assert table.column("low").data.to_pylist() == [None, None, None, str(-WIDE), None]
    assert table.column("highest").data.to_pylist() == ["0", "1", "2", str(WIDEST), "4"]
    told = {problem.column: problem for problem in table.problems if "39 digits" in problem.reason}
    assert set(told) == {"high", "low", "highest"}
    rounded = read(database, "SELECT CAST(high AS DOUBLE) high FROM wide")  # as the cure says
    assert rounded.column("high").data.to_pylist() == [0, 1, 2, float(WIDE), 4]
    with pytest.raises(TableError, match="2 columns have the name 'a'"):
        read(database, "SELECT small a, high a FROM wide")


def test_whole_numbers_of_39_digits_in_lists_are_floats_and_told(database):
    table = read(database, f"SELECT [{WIDE}::HUGEINT, i] l, {{'a': {WIDE}::HUGEINT}} s FROM range(3) t(i)")
    assert table.column("l").data.to_pylist()[2] == [float(WIDE), 2.0]
    told = [problem.column for problem in table.problems if "floating point" in problem.reason]
    assert told == ["l", "s"]
