"""PostgreSQL, on a real server that the tests start: tables, queries, types; nothing written, nothing secret told."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sensorium
from sensorium.cli._main import make_app
from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.table import open_table
from tiers import tiered

USER, PASSWORD = "ada", "s3cr%t/word"
QUOTED = "s3cr%25t%2Fword"


def programs():
    """Where Debian puts the server, or where the path finds it."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    """The address of a database of a server that has this module for its only user."""
    bin_ = programs()
    if bin_ is None:
        pytest.skip("no PostgreSQL server here: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path may have 107 bytes
    (folder / "password").write_text(PASSWORD)
    owner = {}
    if os.geteuid() == 0:  # which the server refuses to run as
        nobody = pwd.getpwnam("nobody")
        for path in (folder, folder / "password"):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid}
    port = free_port()
    words = [bin_ / "initdb", "-D", folder / "data", "-U", USER, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8"]
    subprocess.run([*words, "--pwfile", folder / "password"], check=True, capture_output=True, cwd=folder, **owner)
    words = [bin_ / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-F"]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder, **owner)
    address = f"postgresql://{USER}:{QUOTED}@127.0.0.1:{port}/postgres"
    try:
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(address, process):
    from adbc_driver_postgresql import dbapi

    for _ in range(200):
        assert process.poll() is None, "the server did not start"
        try:
            run(address, "SELECT 1")
            return
        except dbapi.Error:  # not yet
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


def run(address, *statements):
    from adbc_driver_postgresql import dbapi

    with closing(dbapi.connect(address)) as connection, closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def answer_of(address, query):
    """Return the one row of a query that is not checked first."""
    from adbc_driver_postgresql import dbapi

    with closing(dbapi.connect(address)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(query)
        return cursor.fetch_arrow_table().to_pylist()[0]


@pytest.fixture(scope="module")
def films(server):
    run(
        server,
        """CREATE TABLE film (title text, year int, minutes numeric(5, 1), rating double precision, seen boolean,
           released date, poster bytea, tags text[], genre text)""",
        """INSERT INTO film SELECT 'film ' || k, 1990 + k, 90.5 + k, k / 40.0, k % 3 = 0, date '2020-01-01' + k,
           '\\x89504e47', ARRAY['a', 'b'], CASE k % 2 WHEN 0 THEN 'drama' ELSE 'comedy' END
           FROM generate_series(0, 39) k""",
        "UPDATE film SET minutes = NULL, poster = NULL WHERE year = 1993",
    )
    return server


def read(address, query=None):
    return open_table(address, TableConfig(query=query))


def test_tables_are_read_with_their_types(films):
    table = read(films, "SELECT * FROM film ORDER BY year")
    row = table.arrow.slice(3, 1).to_pylist()[0]
    assert len(read(films)) == 40
    assert (row["title"], row["year"], row["minutes"], row["poster"], row["seen"]) == ("film 3", 1993, None, None, True)
    assert table.column("minutes").data.to_pylist()[4] == 94.5
    assert table.column("released").data.to_pylist()[1].isoformat() == "2020-01-02"
    assert table.column("poster").data.to_pylist()[0] == b"\x89PNG"
    assert table.column("tags").data.to_pylist()[0] == ["a", "b"]


def test_a_query_selects(films):
    table = read(films, "SELECT genre, avg(rating) AS mean FROM film GROUP BY genre ORDER BY genre")
    assert table.column("genre").data.to_pylist() == ["comedy", "drama"]


# An expression, and what is read of it. psql prints the same of those that are text.
TYPES = [
    ("'$1,234.50'::money", 1234.5),
    ("'{1.5,2}'::money[]", [1.5, 2.0]),
    ("'1.50'::price", 1.5),
    ("4294967295::oid", 4294967295),
    ("'{4294967295}'::oid[]", [4294967295]),
    ("'NaN'::numeric", None),
    ("'Infinity'::numeric", float("inf")),
    ("1.10::numeric(10, 2)", 1.1),
    ("'{1.5,NaN}'::numeric[]", [1.5, None]),
    ("12345678901234567890::numeric", "12345678901234567890"),
    ("'ab'::char(5)", "ab"),
    ("'{ab}'::char(5)[]", ["ab"]),
    ("'a'::\"char\"", "a"),
    ("interval '1 mon 2 days 03:04:05.5'", "1 mon 2 days 03:04:05.5"),
    ("B'0101'", "0101"),
    ("'10:00:00.5+02'::timetz", "10:00:00.5+02"),
    ("'10:00'::time", "10:00:00"),
    ("'24:00'::time", "24:00:00"),
    ("int4range(1, 5)", "[1,5)"),
    ("'{[1.5,2]}'::nummultirange", "{[1.5,2]}"),
    ("'192.168.1.5/24'::inet", "192.168.1.5/24"),
    ("'08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03"),
    ("'<a/>'::xml", "<a/>"),
    ("point '(1,2)'", "(1,2)"),
    ("to_tsvector('simple', 'a b')", "'a':1 'b':2"),
    ("'18446744073709551615'::xid8", "18446744073709551615"),
    ("'pg_class'::regclass", "pg_class"),
    ("'1 2'::int2vector", "1 2"),
    ("current_role", "ada"),
    ("'ok'::mood", "ok"),
    ("'{ok}'::mood[]", ["ok"]),
    ("ROW(1, 'a', '1.50')::ticket", "(1,a,$1.50)"),
    ("ROW(1, 'a')::seat", {"number": 1, "row": "a"}),
    ("ROW(1, 'a')", "(1,a)"),
    ("ARRAY[1, NULL]", [1, None]),
    ("'[2:3]={1,2}'::int[]", [1, 2]),
    ("ARRAY[[1, 2], [3, 4]]", "{{1,2},{3,4}}"),
    ("'{1 day}'::interval[]", '{"1 day"}'),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("""'{"a": 1}'::jsonb""", '{"a": 1}'),
    ("'NaN'::float8", None),
    ("9223372036854775807", 9223372036854775807),
]


@pytest.fixture(scope="module")
def types(films):
    kinds = [
        "CREATE DOMAIN price AS money",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE TYPE ticket AS (number int, row text, price money)",
        "CREATE TYPE seat AS (number int, row text)",
    ]
    run(films, *kinds)
    yield films
    run(films, "DROP DOMAIN price", "DROP TYPE mood, ticket, seat")


def test_every_type_is_read_as_its_value_or_as_the_text_that_psql_prints(types):
    columns = ", ".join(f"{expression} AS c{place}" for place, (expression, _) in enumerate(TYPES))
    found = read(types, f"SELECT {columns}").arrow.to_pylist()[0]
    assert {TYPES[int(name[1:])][0]: value for name, value in found.items()} == dict(TYPES)


def test_missing_cells_of_every_type_stay_missing(types):
    columns = ", ".join(
        f"CASE WHEN k = 1 THEN {expression} END AS c{place}" for place, (expression, _) in enumerate(TYPES)
    )
    second = read(types, f"SELECT {columns} FROM generate_series(1, 2) AS k ORDER BY k").arrow.to_pylist()[1]
    assert set(second) == {f"c{place}" for place in range(len(TYPES))} and set(map(str, second.values())) <= {
        "None",
        "{'number': None, 'row': None}",
    }


def test_a_query_keeps_its_order_and_names_around_a_type_that_is_converted(films):
    query = 'SELECT year::text::money AS "a price", year, tags FROM film ORDER BY year DESC -- the last first'
    table = read(films, query)
    assert table.columns == ["a price", "year", "tags"]
    assert table.column("a price").data.to_pylist() == table.column("year").data.to_pylist() == [*range(2029, 1989, -1)]
    assert table.column("tags").data.to_pylist() == [["a", "b"]] * 40


def test_several_tables_ask_for_a_name(films):
    run(films, "CREATE TABLE other (x int)", "INSERT INTO other VALUES (1)")
    try:
        with pytest.raises(TableError, match="2 tables") as caught:
            read(films)
        assert "film, other" in caught.value.cure
        assert len(read(films, "film")) == 40
        with pytest.raises(TableError, match="no table 'fil'") as caught:
            read(films, "fil")
        assert "'film'" in caught.value.cure
    finally:
        run(films, "DROP TABLE other")


EFFECTS = [  # one per rule
    "DROP TABLE film",
    "SELECT 1; DELETE FROM film",
    "WITH gone AS (DELETE FROM film RETURNING *) SELECT * FROM gone",
    "COMMIT  AND CHAIN",
    "SET TRANSACTION READ WRITE",
    "DO $$ BEGIN DELETE FROM film; END $$",
    "COPY (SELECT 1) TO PROGRAM 'touch {new}'",
    "SELECT * INTO copied FROM film",
    "SELECT pg_read_file('{secret}') AS a",
    """SELECT U&"pg!005fread_file" UESCAPE '!' ('{secret}') AS a""",
    "SELECT * FROM pg_ls_dir('/') AS a",
    "SELECT query_to_xml('SELECT pg_read_file(''{secret}'')', true, true, '')::text AS a",
    "SELECT nextval('counter') AS a",
    "SELECT pg_sleep(100) AS a",
    """SELECT "Touch it"() AS a""",
    "SELECT film.touched FROM film",
    "CALL  touch_all()",
]
MORE_EFFECTS = [
    "DELETE FROM film",
    "SELECT 1) TO STDOUT; DELETE FROM film; COPY (SELECT 1",
    "SET  default_transaction_read_only = off",
    "COPY film TO '{new}'",
    "COPY film TO PROGRAM 'touch {new}'",
    "SELECT * FROM film FOR UPDATE",
    "SELECT pg_catalog.PG_READ_FILE /* why not */ ('{secret}') AS a",
    """SELECT "pg_read_file"('{secret}') AS a""",
    """SELECT U&"pg\\005fread_file"('{secret}') AS a""",
    "SELECT pg_ls_dir('/') AS a",
    "SELECT lo_export(lo_from_bytea(0, 'x'), '{new}') AS a",
    "SELECT lo_import('{secret}') AS a",
    "SELECT set_config('transaction_read_only', 'off', false) AS a",
    "SELECT setval('counter', 100) AS a",
    "SELECT pg_terminate_backend(1) AS a",
    "SELECT pg_notify('a', 'b') AS a",
    "SELECT touch() AS a",
]


@pytest.fixture(scope="module")
def functions(films):
    """Functions, a procedure and a sequence, none of which a query may call."""
    run(films, *FUNCTIONS)
    yield
    run(films, "DROP SEQUENCE counter", 'DROP FUNCTION touch, touched, "Touch it"', "DROP PROCEDURE touch_all")


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize("query", tiered(EFFECTS, MORE_EFFECTS))
def test_nothing_is_changed_and_no_file_of_the_server_is_reached(query, films):
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    folder.chmod(0o777)
    secret, new = folder / "secret", folder / "new"
    secret.write_text("xyzzy")
    try:
        with pytest.raises(TableError, match=r"cannot read|may only read"):
            read(films, query.format(secret=secret, new=new))
        assert [path.name for path in folder.iterdir()] == ["secret"]
        left = "SELECT last_value, is_called, (SELECT count(*) FROM film) AS films FROM counter"
        assert answer_of(films, left) == {"last_value": 1, "is_called": False, "films": 40}
    finally:
        shutil.rmtree(folder)


FUNCTIONS = [
    "CREATE SEQUENCE counter",
    "CREATE FUNCTION touch() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    """CREATE FUNCTION "Touch it"() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'""",
    "CREATE FUNCTION touched(film) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    "CREATE PROCEDURE touch_all() LANGUAGE sql AS 'SELECT 1'",
]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT title, length(title) AS n, now() AS at, upper(genre) AS g FROM film;",
        "SELECT title FROM film -- all of them",
        "/* films */ SELECT title, random() AS r, generate_series(1, 1) AS k FROM film",
        "WITH late AS (SELECT * FROM film) SELECT title, rank() OVER (ORDER BY year) AS place FROM late",
        "(SELECT title FROM film)",
    ],
)
def test_queries_that_only_read_are_answered(query, films):
    assert len(read(films, query)) == 40


HIDDEN = [
    "CREATE SCHEMA hidden",
    "CREATE FUNCTION hidden.peek(text) RETURNS text LANGUAGE sql AS 'SELECT pg_read_file($1)'",
    "CREATE OPERATOR hidden.!!! (RIGHTARG = text, FUNCTION = hidden.peek)",
    "CREATE FUNCTION hidden.step(text, text) RETURNS text LANGUAGE sql AS 'SELECT pg_read_file($2)'",
    "CREATE AGGREGATE hidden.peek_all(text) (SFUNC = hidden.step, STYPE = text)",
    "CREATE TYPE hidden.parcel AS (name text)",
    "CREATE FUNCTION hidden.open(hidden.parcel) RETURNS text LANGUAGE sql AS 'SELECT pg_read_file($1.name)'",
    "CREATE CAST (hidden.parcel AS text) WITH FUNCTION hidden.open",
    "CREATE DOMAIN hidden.file AS text CHECK (pg_read_file(VALUE) <> '')",
    "CREATE VIEW hidden.plain AS SELECT genre, random() AS r FROM film",
    "CREATE VIEW hidden.called AS SELECT pg_read_file('{secret}') AS a",
    "CREATE VIEW hidden.operated AS SELECT OPERATOR(hidden.!!!) '{secret}' AS a",
    "CREATE VIEW hidden.folded AS SELECT hidden.peek_all(genre) AS a FROM film",
    "CREATE VIEW hidden.formed AS SELECT '{secret}'::text::hidden.file AS a",
    "CREATE VIEW hidden.deep AS SELECT * FROM (SELECT a FROM hidden.called) b JOIN film ON true",
    "CREATE TABLE hidden.guarded (a text)",
    "ALTER TABLE hidden.guarded ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY peeks ON hidden.guarded USING (pg_read_file(a) <> '')",
    "CREATE TABLE hidden.parcels (a hidden.parcel)",
    "CREATE VIEW hidden.written AS SELECT schema_to_xml('hidden', true, false, '')::text AS a",
    "CREATE TYPE hidden.size AS (name text)",
    """CREATE FUNCTION hidden.by_size(hidden.size, hidden.size) RETURNS int LANGUAGE sql
       AS 'SELECT length(pg_read_file($1.name))'""",
    *(
        f"""CREATE FUNCTION hidden.{name}(hidden.size, hidden.size) RETURNS bool IMMUTABLE LANGUAGE sql
            AS 'SELECT $1.name {sign} $2.name'"""
        for name, sign in (("lt", "<"), ("eq", "="), ("gt", ">"))
    ),
    *(
        f"CREATE OPERATOR hidden.{sign} (LEFTARG = hidden.size, RIGHTARG = hidden.size, FUNCTION = hidden.{name})"
        for name, sign in (("lt", "<!"), ("eq", "=!"), ("gt", ">!"))
    ),
    """CREATE OPERATOR CLASS hidden.sizes DEFAULT FOR TYPE hidden.size USING btree AS OPERATOR 1 hidden.<!,
       OPERATOR 3 hidden.=!, OPERATOR 5 hidden.>!, FUNCTION 1 hidden.by_size(hidden.size, hidden.size)""",
    "CREATE TABLE hidden.sized AS SELECT title, ROW('{secret}')::hidden.size AS c FROM film",
    "CREATE DOMAIN hidden.large AS hidden.size",
    "CREATE TYPE hidden.case AS (inner_size hidden.large[])",
    "CREATE TABLE hidden.deeply (d hidden.case)",
    "CREATE FUNCTION hidden.as_size(text) RETURNS hidden.size STABLE LANGUAGE sql AS 'SELECT ROW($1)::hidden.size'",
    "CREATE VIEW hidden.ranked AS SELECT title FROM film ORDER BY ROW(title)::hidden.size",
]


@pytest.fixture(scope="module")
def hidden(films):
    """Calls of a volatile function under other names."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    folder.chmod(0o755)
    secret = folder / "secret"
    secret.write_text("xyzzy")
    run(films, *(statement.format(secret=secret) for statement in HIDDEN))
    yield films, secret
    run(films, "DROP SCHEMA hidden CASCADE")
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT OPERATOR(hidden.!!!) '{secret}' AS a", "uses !!!, an operator"),
        ("SELECT hidden.peek_all('{secret}') AS a", "names peek_all, an aggregate"),
        ("SELECT ROW('{secret}')::hidden.parcel::text AS a", "names parcel, a type"),
        ("SELECT '{secret}'::hidden.file AS a", "names file, a type"),
        ("SELECT * FROM hidden.called", "reads called, a view"),
        ("SELECT * FROM hidden.operated", "reads operated, a view"),
        ("SELECT * FROM hidden.folded", "reads folded, a view"),
        ("SELECT * FROM hidden.formed", "reads formed, a view"),
        ("SELECT a FROM hidden.deep", "reads deep, a view"),
        ("SELECT * FROM hidden.guarded", "reads guarded, a view or table whose policies"),
        ("SELECT * FROM pg_file_settings", "reads pg_file_settings, a view"),
        ("SELECT table_to_xml('hidden.' || 'called', true, false, '')::text AS a", "names table_to_xml"),
        ("SELECT schema_to_xml('hid' || 'den', true, false, '')::text AS a", "names schema_to_xml"),
        ("SELECT database_to_xml_and_xmlschema(true, false, '')::text AS a", "names database_to_xml_and_xmlschema"),
        ("SELECT a FROM hidden.written", "reads written, a view"),
        ("SELECT title, c FROM hidden.sized ORDER BY c", "reads sized, a view or table"),
        ("SELECT DISTINCT d FROM hidden.deeply", "reads deeply, a view or table"),
        ("SELECT title FROM hidden.ranked", "reads ranked, a view or table"),
        ("SELECT title FROM film ORDER BY hidden.as_size(title)", "names as_size, a function"),
        ("SELECT title FROM film ORDER BY ROW(title)::hidden.size", "names size, a type"),
        ("SELECT a || 'x' AS a FROM hidden.parcels", "reads parcels, a view or table"),
    ],
)
def test_functions_with_effects_are_refused_under_other_names(query, told, hidden):
    address, secret = hidden
    with pytest.raises(TableError, match=told):
        read(address, query.format(secret=secret))


def test_a_view_with_effects_is_refused_by_its_name_too_and_others_are_read(hidden):
    address, _ = hidden
    within = f"{address}?options=-csearch_path%3Dhidden"
    with pytest.raises(TableError, match="reads called, a view"):
        read(within, "called")
    assert len(read(within, "plain")) == 40
    assert len(read(within, "SELECT genre FROM plain")) == 40


def test_the_check_does_not_trust_the_operators_of_the_database(films):
    """They come first on its path, and would hide what is looked for."""
    run(
        films,
        "CREATE SCHEMA evil",
        "CREATE FUNCTION evil.never(name, name) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT false'",
        'CREATE FUNCTION evil.never("char", "char") RETURNS bool IMMUTABLE LANGUAGE sql AS \'SELECT false\'',
        "CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.never)",
        'CREATE OPERATOR evil.= (LEFTARG = "char", RIGHTARG = "char", FUNCTION = evil.never)',
    )
    try:
        within = f"{films}?options=-c%20search_path%3Devil,pg_catalog,public"
        assert len(read(within, "film")) == 40
        with pytest.raises(TableError, match="names pg_sleep"):
            read(within, "SELECT pg_sleep(0)::text AS a")
    finally:
        run(films, "DROP SCHEMA evil CASCADE")


def test_other_servers_are_not_reached(films):
    from adbc_driver_postgresql import dbapi

    try:
        run(films, "CREATE EXTENSION dblink")
    except dbapi.Error:
        pytest.skip("the server has no dblink: apt install postgresql-contrib")
    try:
        for call in ("dblink_exec('{0}', 'DELETE FROM film') AS a", "* FROM dblink('{0}', 'SELECT 1') AS t(a int)"):
            with pytest.raises(TableError, match="names dblink"):
                read(films, f"SELECT {call.format(films)}")
        assert len(read(films, "film")) == 40
    finally:
        run(films, "DROP EXTENSION dblink")


def test_a_query_has_a_limit_of_time(films):
    endless = "SELECT sum(a * b) AS n FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
    with pytest.raises(TableError, match=r"longer than 0.5 seconds"):
        open_table(films, TableConfig(query=endless, query_timeout=0.5))


@pytest.mark.slow
@pytest.mark.parametrize("which", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_a_command_and_its_query(which, films):
    endless = f"SELECT '{which}' AS a, count(*) AS n FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
    command = [sys.executable, "-m", "sensorium", "inspect", films, "--set", f"table.query={endless}"]
    running = (
        f"SELECT count(*) AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%''{which}'' AS a, c%'"
    )
    running += " AND query NOT LIKE '%pg_stat_activity%'"
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while not read(films, running).arrow["n"][0].as_py():
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(signal.Signals[which])
        _, told = child.communicate(timeout=20)
    finally:
        child.kill()
    assert child.returncode == 128 + signal.Signals[which]
    assert told == ("interrupted\n" if which == "SIGINT" else "stopped by SIGTERM\n")
    assert not read(films, running).arrow["n"][0].as_py(), "the server goes on with the query"


def test_a_run_tells_no_password(films, tmp_path):
    arguments = ["fit", films, "--target", "genre", "--columns", "rating,year", "--epochs", "1"]
    found = CliRunner().invoke(make_app(), [*arguments, "--out", str(tmp_path / "run")])
    assert found.exit_code == 0, found.output
    answers = tmp_path / "answers.csv"
    found = CliRunner().invoke(make_app(), ["predict", str(tmp_path / "run"), films, "-o", str(answers)])
    assert found.exit_code == 0, found.output
    assert len(answers.read_text().splitlines()) == 41
    told = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) + found.output.encode()
    assert PASSWORD.encode() not in told and QUOTED.encode() not in told
    assert b"postgresql://127.0.0.1" in told


def test_what_cannot_be_reached_is_told_without_the_password(films):
    wrong = films.replace(QUOTED, "wrong-password")
    for address in (wrong, films.replace("/postgres", "/nowhere"), films.replace("127.0.0.1", "127.0.0.1:1", 1)):
        with pytest.raises(TableError, match="cannot read") as caught:
            read(address)
        said = f"{caught.value} {caught.value.place}"
        assert "wrong-password" not in said and QUOTED not in said and PASSWORD not in said


@pytest.mark.parametrize(
    "rest",
    [
        "ada:hun%zz@127.0.0.1:1/postgres?password=hunter2",
        "ada:p@ss%zzhunter2@127.0.0.1:1/postgres",
        "ada:p@ss-hunter2@127.0.0.1:1/postgres",
        "ada:5/hunter2@127.0.0.1:1/postgres",
        "ada:5?hunter2@127.0.0.1:1/postgres",
        "ada:5#hunter2@127.0.0.1:1/postgres",
        "ada:x@[hunter2]/postgres",
        "ada:[hunter2@127.0.0.1:1/postgres",
        "127.0.0.1:1/postgres?password=x&hunter2",
        "127.0.0.1:1/postgres?password=x&hunter2=y",
        "127.0.0.1:1/postgres?password=x=hunter2",
        "127.0.0.1:1/postgres?password=%zzhunter2",
        "127.0.0.1:1/postgres?connect_timeout=hunter2",
    ],
)
def test_an_address_that_cannot_be_read_is_told_without_any_of_it(rest):
    with pytest.raises(TableError, match=r"cannot read") as caught:
        read(f"postgresql://{rest}")
    said = f"{caught.value} {caught.value.place}"
    assert "hun" not in said and "ss%" not in said and "ss-" not in said


def test_columns_of_a_database_fit_a_model_in_python(films):
    model = sensorium.fit(films, "genre", columns=["year", "rating"], epochs=1, progress=False)
    assert len(model.predict(films)) == 40


def test_an_address_of_another_kind_is_told():
    with pytest.raises(TableError, match="unknown kind of address: carrier://") as caught:
        open_table("carrier://pigeon/table")
    assert "postgresql" in caught.value.rule
