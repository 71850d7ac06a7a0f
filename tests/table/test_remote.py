"""Tables and files behind addresses: fsspec's memory, and a real HTTP server with the faults that servers have."""

import http.server
import io
import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import sensorium
from sensorium.cli._main import make_app
from sensorium.errors import MissingExtraError, StoreError, TableError
from sensorium.files.caches import discard
from sensorium.findings import Unreadable
from sensorium.table import _fetch, _fetched, _guard, _remote, open_table

ROWS = 40


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_fetch, "WAIT", 0.01)


def picture(row):
    stream = io.BytesIO()
    Image.fromarray(np.full((16, 16, 3), 40 + 150 * (row % 2), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def content():
    """Path → bytes: a table and the pictures that it names."""
    lines = ["photo,label", *(f"photos/a {row}.png,{'night' if row % 2 == 0 else 'day'}" for row in range(ROWS))]
    files = {f"films/photos/a {row}.png": picture(row) for row in range(ROWS)}
    return {**files, "films/table.csv": "\n".join(lines).encode(), "secret.png": picture(0)}


class Server(http.server.BaseHTTPRequestHandler):
    """Files out of a dict; `faults` says how often a path fails first, and how."""

    def __init__(self, files, faults, asked, *arguments):
        self.files, self.faults, self.asked = files, faults, asked
        super().__init__(*arguments)

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        path = unquote(urlsplit(self.path).path).lstrip("/")
        self.asked.append((self.command, path))
        fault = self.faults.get(path)
        if fault == "once" and with_body:
            self.faults.pop(path)
            self.send_error(500)
        elif fault and fault.startswith("http"):
            self.send_response(302)
            self.send_header("Location", fault)
            self.end_headers()
        elif fault == "always":
            self.send_error(500)
        elif fault and fault.isdigit():
            self.send_error(int(fault))
        elif path not in self.files:
            self.send_error(404)
        else:
            self.send(self.files[path], fault, with_body)

    def send(self, body, fault, with_body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) * (1000 if fault == "cut" else 1)))
        self.send_header("ETag", f'"{hash(body)}"')
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def served():
    """Address of a server, its files, its faults and what it was asked for."""
    files, faults, asked = content(), {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, files, faults, asked))
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", files, faults, asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def stored():
    """The same in fsspec's memory."""
    import fsspec

    system = fsspec.filesystem("memory")
    for path, body in content().items():
        system.pipe(f"/{path}", body)
    yield "memory://films/table.csv"
    system.rm("/", recursive=True)


def told(model):
    return [problem for problem in model.fit_problems if problem.column == "photo"]


def fit(address, **settings):
    return sensorium.fit(address, "label", epochs=5, progress=False, **settings)


def test_a_table_in_memory_and_its_pictures(stored):
    model = fit(stored)
    assert not told(model)
    assert model.test.metrics["accuracy"] == 1
    assert list(model.predict(stored))[:2] == ["night", "day"]


def test_a_table_behind_http_and_its_pictures(served, tmp_path):
    address, _, _, asked = served
    run = tmp_path / "run"
    found = CliRunner().invoke(
        make_app(),
        ["fit", f"{address}/films/table.csv?token=s3cret", "--target", "label", "--preset", "fast", "--out", str(run)],
    )
    assert found.exit_code == 0, found.output
    answers = tmp_path / "answers.csv"
    found = CliRunner().invoke(make_app(), ["predict", str(run), f"{address}/films/table.csv", "-o", str(answers)])
    assert found.exit_code == 0, found.output
    assert "night" in answers.read_text().splitlines()[1]
    assert len({path for _, path in asked}) == ROWS + 1
    said = b"".join(path.read_bytes() for path in run.rglob("*") if path.is_file()) + found.output.encode()
    assert b"s3cret" not in said and b"http://127.0.0.1" in said


def test_what_did_not_change_is_not_sent_again(served):
    address, files, _, asked = served
    fit(f"{address}/films/table.csv")
    first = sum(kind == "GET" for kind, _ in asked)
    fit(f"{address}/films/table.csv")
    assert sum(kind == "GET" for kind, _ in asked) == first
    files["films/photos/a 3.png"] = picture(2)
    fit(f"{address}/films/table.csv")
    assert sum(kind == "GET" for kind, _ in asked) == first + 1


@pytest.mark.slow
def test_two_processes_that_fetch_one_file_at_once_both_have_it_whole(served):
    address, files, _, _ = served
    files["films/large.bin"] = np.random.default_rng(0).bytes(20_000_000)
    code = f"from sensorium.table._remote import fetch; print(fetch('{address}/films/large.bin'))"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = {process.communicate(timeout=60)[0].strip() for process in both}
    assert all(process.returncode == 0 for process in both)
    (fetched,) = map(Path, found)
    assert fetched.read_bytes() == files["films/large.bin"]
    assert {path.name for path in fetched.parent.iterdir()} == {"large.bin", "large.bin.stamp"}


def test_files_that_cannot_be_had_are_missing_with_a_reason(served):
    address, files, faults, _ = served
    del files["films/photos/a 4.png"]
    files["films/photos/a 5.png"] = b""
    faults.update({"films/photos/a 6.png": "once", "films/photos/a 7.png": "always", "films/photos/a 8.png": "cut"})
    model = fit(f"{address}/films/table.csv")
    reasons = {problem.row: problem.reason for problem in told(model)}
    assert set(reasons) == {4, 5, 7, 8}
    assert "the file does not exist" in reasons[4] and "empty" in reasons[5]
    assert "cannot download" in reasons[7] and "cannot download" in reasons[8]


@pytest.mark.parametrize(
    "cell", ["../secret.png", "/secret.png", "http://127.0.0.1:1/x.png", "photos/../../secret.png", "a::b.png"]
)
def test_cells_do_not_lead_out_of_the_folder(cell, served):
    address, files, _, asked = served
    files["films/table.csv"] = files["films/table.csv"].replace(b"photos/a 3.png", cell.encode())
    problems = told(fit(f"{address}/films/table.csv"))
    assert [problem.row for problem in problems] == [3]
    assert "outside" in problems[0].reason or "chained addresses" in problems[0].reason
    assert "secret.png" not in {path for _, path in asked}


def test_they_do_where_that_is_allowed(served):
    address, files, _, asked = served
    cell = f"{address}/secret.png".encode()
    files["films/table.csv"] = files["films/table.csv"].replace(b"photos/a 3.png", cell)
    model = fit(f"{address}/films/table.csv", config={"table": {"allow_outside": True}})
    assert not told(model)
    assert "secret.png" in {path for _, path in asked}


def test_a_file_over_the_limit_is_not_fetched(served):
    address, files, _, _ = served
    files["films/photos/a 9.png"] = bytes(6000)
    problems = told(fit(f"{address}/films/table.csv", config={"table": {"remote": {"max_gigabytes": 5e-6}}}))
    assert [(problem.row, "exceeds the limit of 5,000 bytes" in problem.reason) for problem in problems] == [(9, True)]


def test_a_server_that_is_silent_is_given_up(served, monkeypatch):
    monkeypatch.setattr(_guard, "SILENCE", 0.2)
    monkeypatch.setattr(_fetch, "TRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/t.csv"
        with pytest.raises(TableError, match="cannot download"):
            open_table(address)


def test_tables_that_cannot_be_had_are_told_without_secrets(served):
    address = served[0].replace("http://", "http://ada:pa55@")
    for path, message in (("none.csv", "the table does not exist"), ("films/table.odd", "the table does not exist")):
        with pytest.raises(TableError, match=message) as caught:
            open_table(f"{address}/{path}?key=s3cret")
        assert "pa55" not in str(caught.value) and "s3cret" not in str(caught.value)
    with pytest.raises(TableError, match="cannot download") as caught:
        open_table("http://ada:pa55@127.0.0.1:1/t.csv?key=s3cret")
    assert "pa55" not in str(caught.value) and "s3cret" not in str(caught.value)


def test_a_protocol_whose_package_is_missing_is_told():
    with pytest.raises(MissingExtraError, match="s3fs"):
        open_table("s3://bucket/table.csv")


def test_an_address_through_another_is_refused():
    with pytest.raises(TableError, match="chained addresses"):
        open_table("zip://a.csv::http://127.0.0.1/t.zip")


def test_what_was_not_used_for_longest_goes_first(served, tmp_path, monkeypatch):
    address, _, _, _ = served
    open_table(f"{address}/films/table.csv").files.path("photos/a 1.png")
    kept = tmp_path / "cache-files"
    assert len(list(kept.iterdir())) == 2
    monkeypatch.setattr(_fetched, "ROOM", 1)
    open_table(f"{address}/films/table.csv")
    assert len(list(kept.iterdir())) == 1


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("http://ada:pa55@127.0.0.1:1", "cannot download"),
        ("nosuch://ada:pa55@place", "cells may not use"),
    ],
)
def test_a_cell_s_own_address_is_told_without_secrets(start, reason, served):
    address, files, _, _ = served
    files["films/table.csv"] = files["films/table.csv"].replace(b"photos/a 3.png", f"{start}/x.png?key=s3cret".encode())
    reach = {"table": {"allow_outside": True, "remote": {"private": True}}}
    problems = told(fit(f"{address}/films/table.csv", config=reach))
    assert [problem.row for problem in problems] == [3]
    assert reason in problems[0].reason
    assert "pa55" not in str(problems[0]) and "s3cret" not in str(problems[0])


def test_a_stamp_that_was_cut_short_means_fetching_anew(served, tmp_path):
    address, _, _, asked = served
    first = open_table(f"{address}/films/table.csv")
    for stamp in (tmp_path / "cache-files").glob("*/*stamp*"):
        stamp.write_text("{")
    assert open_table(f"{address}/films/table.csv").arrow.equals(first.arrow)
    assert asked.count(("GET", "films/table.csv")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied"])
def test_a_damaged_fetched_file_is_fetched_again_and_reported_once(damage, served, tmp_path, capsys):
    address, _, _, asked = served
    settings = {"epochs": 1, "prepare": {"store": "none"}}
    sensorium.fit(f"{address}/films/table.csv?token=s3cret", "label", **settings)
    before, kept = len(asked), tmp_path / "cache-files"
    for path in [*kept.glob("*/table.csv"), *kept.glob("*/a 3.png"), *kept.glob("*/a 4.png")]:
        content = bytearray(path.read_bytes())
        content[40] ^= 1
        path.write_bytes({"flipped": content, "cut": content[:40], "emptied": b""}[damage])
    capsys.readouterr()
    model = sensorium.fit(f"{address}/films/table.csv?token=s3cret", "label", **settings)
    assert not told(model)
    assert [kind for kind, _ in asked[before:]].count("GET") == 3
    said = [line for line in capsys.readouterr().err.splitlines() if "downloaded again" in line]
    assert len(said) == 1
    assert "3 downloaded files" in said[0] and "a%203.png" in said[0] and "s3cret" not in said[0]


def test_a_file_that_another_process_removed_is_fetched_again(served, tmp_path):
    address, files, _, _ = served
    opened = open_table(f"{address}/films/table.csv").files
    for _ in range(2):
        found = opened.path("photos/a 1.png")
        assert found.read_bytes() == files["films/photos/a 1.png"]
        discard(found.parent)


def test_a_cache_that_cannot_be_written_to_is_not_a_server_s_refusal(served, tmp_path, monkeypatch):
    address, _, _, _ = served
    (tmp_path / "cache-files").touch()
    with pytest.raises(StoreError, match="cannot store downloaded files") as caught:
        open_table(f"{address}/films/table.csv")
    assert "SENSORIUM_CACHE" in caught.value.cure


def test_where_a_server_sends_us_on_to_is_told_without_its_signature(served):
    address, files, faults, _ = served
    files["broken.png"] = b""
    faults.update({"films/table.csv": f"{address}/broken.png?signature=s3cret", "broken.png": "always"})
    with pytest.raises(TableError, match="cannot download") as caught:
        open_table(f"{address}/films/table.csv")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "HTTP 401"), (403, "HTTP 403"), (404, "does not exist"), (410, "does not exist"), (400, "400")],
)
def test_a_refused_file_is_asked_for_once_in_a_run(status, said, served):
    address, files, faults, asked = served
    faults.update(dict.fromkeys([path for path in files if path.endswith(".png")], str(status)))
    table = open_table(f"{address}/films/table.csv?token=s3cret")
    before = len(asked)
    for _ in range(3):
        with pytest.raises(Unreadable, match=said) as caught:
            table.files.path("photos/a 1.png")
    assert len(asked) - before <= 2, "HEAD and GET"
    assert "the part after '?'" in caught.value.cure or status == 400
    assert "s3cret" not in caught.value.reason + caught.value.cure


def test_inspect_asks_for_each_refused_picture_once(served):
    address, files, faults, asked = served
    faults.update(dict.fromkeys([path for path in files if path.endswith(".png")], "403"))
    found = sensorium.inspect(f"{address}/films/table.csv?token=s3cret", "label")
    assert len([path for kind, path in asked if kind == "GET" and path.endswith(".png")]) <= ROWS
    (fault,) = [fault for column in found.columns if column.name == "photo" for fault in column.faults]
    assert "refused" in fault["reason"] and "leave out the part after '?'" in fault["cure"]


def test_a_server_that_fails_for_a_moment_is_asked_again_and_a_dead_one_less_and_less(served, monkeypatch):
    address, files, faults, asked = served
    monkeypatch.setattr(_remote, "PATIENT", 2)
    faults.update(dict.fromkeys([path for path in files if path.endswith(".png")], "always"))
    table = open_table(f"{address}/films/table.csv")
    counts = []
    for row in range(4):
        before = len(asked)
        with pytest.raises(Unreadable, match="cannot download"):
            table.files.path(f"photos/a {row}.png")
        counts.append(len(asked) - before)
    assert counts[0] == counts[1] == 3 * counts[2] == 3 * counts[3]
    faults.clear()
    assert open_table(f"{address}/films/table.csv").files.path("photos/a 1.png").exists(), "another run asks again"


def test_a_refused_table_is_told_at_once(served):
    address, _, faults, asked = served
    faults["films/table.csv"] = "403"
    with pytest.raises(TableError, match="refused to send the table") as caught:
        open_table(f"{address}/films/table.csv?token=s3cret")
    assert len(asked) <= 2
    assert "token" in caught.value.cure and "s3cret" not in str(caught.value)
