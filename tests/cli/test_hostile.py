"""Data is never markup: whatever a table holds, commands print it as text, with its control characters shown."""

import json
import os
import pty
import subprocess
import sys
import unicodedata

import pytest
from calls import answer, call
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import csv

from sensorium.cli import _main
from sensorium.errors import TableError
from sensorium.errors.printable import one_line, printable, printable_json

ROWS = 60
HOSTILE = [
    "[bold]", "[/]", "[/red]x", "[link=http://127.0.0.1]a[/link]", ":smile:", "\x1b[31mred", "\x1b]0;title\x07",
    "a\rb", "\x08\x08x", "\u202egnp.exe", "\u2066x\u2069", "<script>alert(1)</script>", "</title><b>", "a\nerror: b",
    "\x9b2J", "{x}", "\x7f", "\ufeffq", "\U000e0041", "%s", "&amp;", "\u2028next",
]  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=6)


def raw(text: str) -> set[str]:
    """Characters of a text that a terminal or a reader might obey."""
    return {sign for sign in text if sign not in "\n\t" and _is_obeyed(sign)}


def _is_obeyed(sign: str) -> bool:
    overrides = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    odd = unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
    return odd or unicodedata.bidirectional(sign) in overrides or 0xE0000 <= ord(sign) < 0xE0080


def write(path, names, labels, cells):
    """A JSON Lines table: a text, a number, a category and a path of hostile names, and a label."""
    columns = {
        names[0]: [f"{cells[row % len(cells)]} some words {row % 7}" for row in range(ROWS)],
        names[1]: [0.5 * row for row in range(ROWS)],
        names[2]: [cells[row % 3] for row in range(ROWS)],
        names[3]: [f"{cells[row % len(cells)]}/{row}.png" for row in range(ROWS)],
        "label": [labels[row % 2] for row in range(ROWS)],
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    names = ["[bold]t\x1b[2J", "n\u202e[/]", "<i>c\x07", "[red]p\x08"]
    folder = tmp_path_factory.mktemp("hostile")
    return write(folder / "t.jsonl", names, ["[/a]\x1b[1m", "=b\u202e"], HOSTILE)


@pytest.fixture(scope="module")
def model(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    found = call(
        "fit", table, "--target", "label", "--epochs", 1, "--exclude", "[red]p\x08", "--out", folder / "[/run]"
    )
    assert not raw(found.output) and "[bold]t\\x1b[2J" in found.output
    return folder / "[/run]"


def clean(*arguments):
    """What a command prints, with and without --json."""
    for more in ([], ["--json"]):
        found = call(*arguments, *more)
        assert found.exit_code == 0, found.output
        assert not raw(found.stdout) | raw(found.stderr)
    return found


def test_inspect_shows_hostile_names_and_cells(table, tmp_path):
    clean("inspect", table, "--target", "label", "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert not raw(page) and "<script" not in page and "<i>" not in page
    assert "&lt;i&gt;c\\x07" in page


def test_json_keeps_every_character(table):
    found = answer("inspect", table)
    assert [column["name"] for column in found["columns"]][:2] == ["[bold]t\x1b[2J", "n\u202e[/]"]


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "MODEL", "TABLE", "--split", "all", "--subsets"],
        ["predict", "MODEL", "TABLE", "-o", "OUT.csv"],
        ["fit", "TABLE", "--from", "MODEL", "--epochs", "1", "--out", "OUT"],
        ["quantize", "MODEL", "--table", "TABLE", "-o", "OUT.zip"],
        ["list"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_shows_hostile_data_as_text(command, table, model, tmp_path):
    places = {"MODEL": model, "TABLE": table, "OUT": tmp_path / "out", "OUT.csv": tmp_path / "[o].csv"}
    places["OUT.zip"] = tmp_path / "[red]o.zip"
    clean(*(places.get(word, word) for word in command))


@pytest.mark.slow
def test_compare_shows_hostile_data_as_text(table, tmp_path):
    clean(
        "compare", table, "--target", "label", "--exclude", "[red]p\x08", "--epochs", 1, "--fusions", "concat",
        "--baselines", "none", "--out", tmp_path / "c",
    )  # fmt: skip


def test_errors_and_problems_are_text(table, tmp_path, capsys, monkeypatch):
    error = TableError("no column '\x1b[31m[bold]'", place="a\u202eb")
    assert str(error) == "no column '\\x1b[31m[bold]'\n  where: a\\u202eb"
    monkeypatch.setattr(sys, "argv", ["sensorium", "inspect", str(table), "--target", "\x1b[2Jx", "--json"])
    with pytest.raises(SystemExit, match="1"):
        _main.main()
    told = capsys.readouterr()
    assert not raw(told.out) | raw(told.err) and "\\x1b[2Jx" in told.err
    assert "\\x1b[2Jx" in json.loads(told.out)["error"]


def test_paths_that_are_no_text_are_told(tmp_path):
    """A file name of a disk may hold bytes that are no UTF-8."""
    name = os.fsencode(tmp_path) + b"/\xff\x1b[31m.csv"
    found = subprocess.run([sys.executable, "-m", "sensorium", "inspect", name], capture_output=True)
    assert found.returncode == 1
    assert b"\\udcff\\x1b[31m.csv" in found.stderr and b"\x1b" not in found.stderr and b"Traceback" not in found.stderr


def test_bars_on_a_terminal_show_titles_as_text():
    code = (
        "from sensorium.runtime.progress import reporter; r = reporter(); r.log('[/x]\\x07')\n"
        "with r.bar('[/a] \\x1b]0;t\\x07', 2) as b: b.note('[/b]\\x07'); b.advance(2)"
    )
    parent, child = pty.openpty()
    result = subprocess.run([sys.executable, "-c", code], stderr=child, timeout=60)
    os.close(child)
    shown = os.read(parent, 100_000).decode()
    assert result.returncode == 0
    assert "\x07" not in shown and "\x1b]0;" not in shown
    assert "[/x]\\x07" in shown and "[/a]" in shown and "[/b]" in shown


@pytest.mark.slow
@settings(max_examples=12)
@given(st.lists(TEXTS.filter(lambda t: t.strip() and t != "label"), min_size=4, max_size=4, unique=True), st.data())
@example(["[", "]", "[/", "\\["], None)
def test_inspect_prints_any_text(tmp_path_factory, names, data):
    cells = data.draw(st.lists(TEXTS, min_size=3, max_size=6)) if data else HOSTILE
    path = write(tmp_path_factory.mktemp("any") / "t.jsonl", names, ["a", "b"], cells)
    found = call("inspect", path)
    assert found.exit_code == 0 and not raw(found.output)


@given(st.text(max_size=40))
def test_printable_text_stays_and_json_says_the_same(text):
    assert not raw(printable(text)) and "\n" not in one_line(text)
    assert printable(printable(text)) == printable(text)
    assert json.loads(printable_json({text: text})) == {text: text} and not raw(printable_json(text))


def test_letters_of_every_script_stay():
    for text in ["é", "日本語", "سلام\u200c", "👩\u200d🚀", "a\u200fb", "soft\u00adhyphen"]:
        assert printable(text) == text


def test_predict_tells_of_formulas_and_makes_them_safe(tmp_path):
    rows = "".join(f"{i * i % 17},{'=cmd' if i % 2 else '@x'}\n" for i in range(40))
    (tmp_path / "t.csv").write_text("n,label\n" + rows)
    run, out = tmp_path / "run", tmp_path / "out.csv"
    assert call("fit", tmp_path / "t.csv", "--target", "label", "--epochs", 1, "--out", run).exit_code == 0
    assert "40 text cells ('prediction') begin with" in call("predict", run, tmp_path / "t.csv", "-o", out).output
    assert set(csv.read_csv(out)["prediction"].to_pylist()) <= {"=cmd", "@x"}
    call("predict", run, tmp_path / "t.csv", "-o", out, "--safe-csv")
    assert set(csv.read_csv(out)["prediction"].to_pylist()) <= {"'=cmd", "'@x"}


def test_a_line_break_in_a_path_forges_no_line(tmp_path):
    (tmp_path / "x\n? forged: line").mkdir()
    with pytest.raises(TableError) as told:
        call("inspect", tmp_path / "x\n? forged: line" / "missing.csv")
    assert "x\\n? forged: line" in str(told.value)
    assert not [line for line in str(told.value).splitlines() if line.startswith("? forged")]


def test_what_the_system_refuses_has_the_form_of_our_errors(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "/root/\nx")

    monkeypatch.setattr(_main, "make_app", lambda: refuse)
    with pytest.raises(SystemExit):
        _main.main()
    assert capsys.readouterr().err == "error: the operating system reports: Permission denied\n  where: /root/\\nx\n"
