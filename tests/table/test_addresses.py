"""Where an address may lead: to no other server, not to this machine or a private network, unless that is allowed."""

import http.server
import io
import socket
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from sensorium.cli._main import make_app
from sensorium.config import TableConfig
from sensorium.errors import MissingExtraError, TableError
from sensorium.findings import Outside, Unreadable
from sensorium.table import Files, _fetch, _guard, open_table
from sensorium.table._guard import Guard, NotAllowed
from sensorium.table._public import is_public

TABLE = b"a,b\n1,2\n3,4\n"
LOOKUP = socket.getaddrinfo


@pytest.fixture(autouse=True)
def quick(tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_fetch, "WAIT", 0.01)
    monkeypatch.setattr(_fetch, "TRIES", 1)


def start(host="127.0.0.1"):
    """Address of a server, path → (status, headers, body or parts of it), and what it was asked for."""
    answers, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            asked.append(path)
            status, headers, body = answers.get(path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.send(body)

        def do_HEAD(self):
            self.do_GET()

        def send(self, body):
            for part in [body] if isinstance(body, bytes) else body():
                try:
                    self.wfile.write(part)
                except OSError:
                    return

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Server((host, 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}", answers, asked


@pytest.fixture
def served():
    server, *others = start()
    yield others
    server.shutdown()
    server.server_close()


@pytest.fixture
def other():
    server, *others = start()
    others[1]["/t.csv"] = (200, {"Content-Length": str(len(TABLE))}, TABLE)
    yield others
    server.shutdown()
    server.server_close()


def read(address, **remote):
    return open_table(address, TableConfig(remote=remote))


def redirect(answers, target):
    answers["/t.csv"] = (302, {"Location": target}, b"")


def test_a_redirect_on_the_same_server_is_followed(served):
    address, answers, asked = served
    redirect(answers, "/elsewhere/t.csv")
    answers["/elsewhere/t.csv"] = (200, {}, TABLE)
    assert len(read(f"{address}/t.csv")) == 2
    assert "/elsewhere/t.csv" in asked


def test_a_redirect_to_another_server_is_followed_where_that_is_allowed(served, other):
    address, answers, _ = served
    redirect(answers, f"{other[0]}/t.csv?signature=s3cret")
    with pytest.raises(TableError, match="redirects to another one") as caught:
        read(f"{address}/t.csv")
    assert "table.remote.redirects=true" in caught.value.cure
    assert caught.value.place == f"{address}/t.csv" and other[0] in str(caught.value)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(TableError, match="private network") as caught:
        read(f"{address}/t.csv", redirects=True)
    assert "table.remote.private=true" in caught.value.cure
    with pytest.raises(TableError, match="redirects to another one"):
        read(f"{address}/t.csv", private=True)
    assert not other[2]
    assert len(read(f"{address}/t.csv", redirects=True, private=True)) == 2


HIDDEN = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "012.0.0.1", "127.0.0.1.", "0.0.0.0",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fc00::1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[::127.0.0.1]", "[ff02::1]", "localhost", "LOCALHOST", "evil.example",
    "six.example",
]  # fmt: skip
WITHIN = r"private network|canonical IPv4"
NAMES = {"evil.example": "10.1.2.3", "six.example": "fd00::1"}


def resolve(host, port, *arguments, **options):
    return LOOKUP(NAMES.get(host, host), port, *arguments, **options)


@pytest.mark.parametrize("host", HIDDEN)
def test_a_redirect_does_not_lead_within(host, served, other, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    address, answers, _ = served
    redirect(answers, f"http://{host}:{other[0].rpartition(':')[2]}/t.csv")
    with pytest.raises(TableError, match=WITHIN):
        read(f"{address}/t.csv", redirects=True)
    assert not other[2]


@pytest.mark.parametrize("host", [host for host in HIDDEN if "::" not in host])
def test_a_cell_does_not_lead_within(host, other, tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    files = Files(tmp_path, allow_outside=True)
    with pytest.raises(Unreadable, match=WITHIN):
        files.path(f"http://{host}:{other[0].rpartition(':')[2]}/t.csv")
    assert not other[2]


def test_a_cell_may_where_that_is_allowed(other, tmp_path):
    config = TableConfig(remote={"private": True})
    files = Files(tmp_path, allow_outside=True, remote=config.remote)
    assert files.path(f"{other[0]}/t.csv").read_bytes() == TABLE


def test_cells_lead_to_the_server_of_their_table(served):
    address, answers, _ = served
    answers["/d/t.csv"] = answers["/x.csv"] = (200, {}, TABLE)
    table = open_table(f"{address}/d/t.csv", TableConfig(allow_outside=True))
    assert table.files.path(f"{address}/x.csv").read_bytes() == TABLE
    with pytest.raises(Outside, match="private network"):
        table.files.path(f"http://127.0.0.1:{int(address.rpartition(':')[2]) + 1}/x.csv")


@pytest.mark.parametrize(
    "number", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_public_addresses_are_public(number):
    assert is_public(number)


@pytest.mark.parametrize("number", ["fec0::1", "fd00::1", "fe80::1", "::1", "::", "::7f00:1", "4000::1", "2001:db8::1"])
def test_other_addresses_of_ipv6_are_not(number):
    assert not is_public(number)


def test_a_name_is_looked_up_once_for_a_connection(served, other, monkeypatch):
    """The address that was looked at is the one that is connected to: a second answer does not count."""
    monkeypatch.setattr(_guard, "CONNECT", 0.3)
    numbers = iter(["192.88.99.1", *["127.0.0.1"] * 20])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **options: LOOKUP(
            next(numbers) if host == "flip.example" else host, *rest, **options
        )
    )  # fmt: skip
    address, answers, _ = served
    redirect(answers, f"http://flip.example:{other[0].rpartition(':')[2]}/t.csv")
    with pytest.raises(TableError):
        read(f"{address}/t.csv", redirects=True)
    assert not other[2]


def test_a_server_that_was_public_does_not_turn_private():
    guard = Guard("data.example:80")
    guard.check_resolved("data.example", 80, ["8.8.8.8"])
    with pytest.raises(NotAllowed, match="private network"):
        guard.check_resolved("data.example", 80, ["127.0.0.1"])
    within = Guard("files.corp:80")
    within.check_resolved("files.corp", 80, ["10.0.0.5"])
    within.check_resolved("files.corp", 80, ["10.0.0.6"])
    with pytest.raises(NotAllowed):
        within.check_resolved("files.corp", 8080, ["10.0.0.5"])


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/t.csv", "gopher://127.0.0.1/", "data:,a"])
def test_a_redirect_stays_on_the_web(target, served):
    address, answers, _ = served
    redirect(answers, target)
    with pytest.raises(TableError, match="cannot download the table: the server redirects from http:// to"):
        read(f"{address}/t.csv", redirects=True, private=True)


@pytest.mark.parametrize(
    ("before", "after", "follows"),
    [
        ("https://a.example/t", "http://a.example/t", False),
        ("https://a.example/t", "http://b.example/t", False),
        ("http://a.example/t", "https://a.example/t", True),
        ("http://a.example:8000/t", "https://a.example/t", False),
        ("https://a.example/t", "https://a.example:443/u", True),
        ("https://a.example/t", "https://a.example:8443/u", False),
        ("https://a.example/t", "https://a.example.evil.example/u", False),
        ("https://a.example/t", "https://a.example@evil.example/u", False),
    ],
)
def test_a_redirect_keeps_its_server_and_its_encryption(before, after, follows):
    if follows:
        Guard().check_redirect(before, after)
    else:
        with pytest.raises(NotAllowed):
            Guard().check_redirect(before, after)
    if after.startswith("http://"):
        with pytest.raises(NotAllowed, match="from https:// to http://"):
            Guard(redirects=True, private=True).check_redirect(before, after)


@pytest.mark.parametrize(
    "cell", ["ftp://127.0.0.1/x", "sftp://h/x", "smb://h/x", "dir://x/y", "asynclocal:///etc/passwd"]
)
def test_cells_name_the_web_and_stores_alone(cell, tmp_path):
    with pytest.raises(Unreadable, match="cells may not use"):
        Files(tmp_path, allow_outside=True).path(cell)


def slowly():
    for _ in range(100):
        yield b"1,2\n"
        time.sleep(0.05)


def test_a_file_that_trickles_is_given_up(served):
    address, answers, _ = served
    answers["/t.csv"] = (200, {}, slowly)
    begun = time.monotonic()
    with pytest.raises(TableError, match="cannot download"):
        read(f"{address}/t.csv", timeout=0.3)
    assert time.monotonic() - begun < 4


def test_a_table_that_claims_to_be_small_is_cut_off(served):
    address, answers, _ = served
    answers["/t.csv"] = (200, {}, lambda: [b"1,2\n" * 1000] * 100)
    with pytest.raises(TableError, match=r"exceeds the limit of 50,000 bytes \(table.remote.max_gigabytes"):
        read(f"{address}/t.csv", max_gigabytes=5e-5)


def parquet():
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 3], "b": [2, 4]}), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv; charset=utf-8", TABLE),
        ("Text/TSV", TABLE.replace(b",", b"\t")),
        ("application/x-ndjson", b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n'),
        ("application/vnd.apache.parquet", parquet()),
    ],
)
def test_the_content_type_tells_the_kind_of_a_table_without_a_suffix(kind, body, served):
    address, answers, _ = served
    answers["/download"] = (200, {"Content-Type": kind}, body)
    for _ in range(2):  # the second time from the copy
        found = read(f"{address}/download?id=7")
        assert found.arrow.to_pylist() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_a_table_of_no_known_kind_is_told_with_its_address(served):
    address, answers, _ = served
    answers["/download"] = (200, {"Content-Type": "application/octet-stream"}, TABLE)
    with pytest.raises(TableError, match="content type") as caught:
        read(f"{address}/download?token=s3cret")
    assert caught.value.place == f"{address}/download" and ".csv" in caught.value.rule


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_server(status, served):
    address, answers, asked = served
    answers["/t.csv"] = (200, {}, TABLE)
    answers["/x.png"] = (status, {}, b"")
    table = read(f"{address}/t.csv")
    before = len(asked)
    for _ in range(2):
        with pytest.raises(Unreadable, match=f"{address} refused to send the file \\(HTTP {status}\\)"):
            table.files.path("x.png")
    assert len(asked) - before == 2, "HEAD and GET, once"
    answers["/t.csv"] = (status, {}, b"")
    with pytest.raises(TableError, match=f"HTTP {status}") as caught:
        read(f"{address}/t.csv?token=s3cret")
    assert caught.value.place == f"{address}/t.csv"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://[bad/t.csv", "host of the address cannot be read"),
        ("http://ada:s3cret@[bad]/t.csv", "host of the address cannot be read"),
        ("http://127.0.0.1:99999/t.csv", "port of the address"),
        ("http://127.0.0.1:s3cret/t.csv", "port of the address"),
        ("http:///t.csv", "has no host"),
    ],
)
def test_what_is_no_address_is_an_error_of_a_table_and_a_missing_cell(address, told, tmp_path):
    with pytest.raises(TableError, match=told) as caught:
        open_table(address)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(Unreadable, match=told) as missing:
        Files(tmp_path, allow_outside=True).path(address.replace("t.csv", "p.png"))
    assert "s3cret" not in missing.value.reason


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("az", "adlfs"), ("gs", "gcsfs")])
def test_a_cell_whose_package_is_not_installed_is_missing_with_the_package(scheme, package, tmp_path):
    with pytest.raises(Unreadable, match=f"{scheme}:// needs a package") as caught:
        Files(tmp_path, allow_outside=True).path(f"{scheme}://bucket/p.png")
    assert caught.value.cure == f"pip install {package}"
    with pytest.raises(MissingExtraError, match=f"{scheme}:// needs a package"):
        open_table(f"{scheme}://bucket/t.csv")


def test_bad_addresses_in_cells_do_not_end_a_command(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    cells = ["p.png"] * 20 + ["http://[bad/p.png", "http://h:99999/p.png", "az://c/p.png", "s3://b/p.png"]
    lines = [f"{cell},{'ab'[row % 2]}" for row, cell in enumerate(cells)]
    (tmp_path / "t.csv").write_text("\n".join(["photo,label", *lines]))
    outside = "table.allow_outside=true"
    found = CliRunner().invoke(
        make_app(), ["inspect", str(tmp_path / "t.csv"), "--target", "label", "--set", outside], env={"COLUMNS": "400"}
    )
    assert found.exit_code == 0, found.output
    assert "host of the address" in found.output and "port of the address" in found.output


def test_the_scheme_may_be_spelt_in_capitals(other):
    assert len(read(f"{other[0].replace('http', 'HTTP')}/t.csv")) == 2


def test_an_ipv6_address_is_read_in_brackets(tmp_path):
    try:
        server, _, answers, _ = start("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    answers["/t.csv"] = answers["/x.csv"] = (200, {}, TABLE)
    try:
        address = f"http://[::1]:{server.server_port}"
        table = open_table(f"{address}/t.csv", TableConfig(allow_outside=True))
        assert len(table) == 2
        assert table.files.path("x.csv").read_bytes() == table.files.path(f"{address}/x.csv").read_bytes() == TABLE
        with pytest.raises(Outside, match="private network"):
            Files(tmp_path, allow_outside=True).path(f"{address}/x.csv")
        with pytest.raises(TableError, match="chained addresses"):
            open_table(f"zip://a.csv::{address}/t.zip")
    finally:
        server.shutdown()
        server.server_close()


def test_a_silent_server_takes_no_longer_than_one_file_may(monkeypatch):
    monkeypatch.setattr(_fetch, "TRIES", 3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(TableError, match=r"exceeds the time limit of 0.5 seconds \(table.remote.timeout"):
            read(f"http://127.0.0.1:{silent.getsockname()[1]}/t.csv", timeout=0.5)
        assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/t.csv", "redirects too often, perhaps in a circle"),
        ("http://[s3cret/t.csv", "redirects to something that is not an address"),
        ("http://[::1", "redirects to something that is not an address"),
        ("http://127.0.0.1:99999/t.csv", "redirects to something that is not an address"),
        (f"http://{'a' * 300}/t.csv", "redirects to something that is not an address"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_told_in_words(target, told, served, monkeypatch):
    monkeypatch.setattr(_fetch, "TRIES", 3)
    address, answers, asked = served
    redirect(answers, target)
    with pytest.raises(TableError, match=told) as caught:
        read(f"{address}/t.csv", redirects=True)
    assert "again" not in caught.value.cure
    assert target == "/t.csv" or len(asked) <= 2  # fsspec asks twice; we don't try it again
    assert "message=" not in str(caught.value) and "s3cret" not in str(caught.value)
