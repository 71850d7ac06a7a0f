"""Reports of wide tables: they show what needs attention and say how much they leave out; JSON has everything."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from rich.console import Console
from typer.testing import CliRunner

import sensorium
from sensorium.cli._main import make_app
from sensorium.evaluate import Subset, Subsets
from sensorium.model.card import ShiftRecord
from sensorium.report import inspection_text, shift_text, subsets_text
from sensorium.report.inspection_page import inspection_page

NUMBERS = 300


def printed(renderable):
    with io.StringIO() as stream:
        Console(file=stream, width=200).print(renderable)
        return stream.getvalue()


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    columns = {f"gene{place}": random.normal(size=40) for place in range(NUMBERS)}
    return pa.table({**columns, "constant": ["same"] * 40, "mixed": ["7", "x"] * 20, "label": ["a", "b"] * 20})


@pytest.fixture(scope="module")
def found(table):
    return sensorium.inspect(table, "label")


def test_inspection_of_many_columns_shows_some_and_counts_the_others(found):
    text = printed(inspection_text(found))
    assert len(text.splitlines()) < 130
    assert "gene0 " in text and "gene298" not in text
    assert "constant" in text  # left out: it needs attention, although it comes last
    assert "and 253 more columns (253 number); --json lists every column" in text


def test_text_of_an_inspection_is_short_in_python_too(found):
    lines = str(found).splitlines()
    assert len(lines) == 102
    assert lines[-1] == "and 203 more columns: see `columns`"


def test_page_of_many_columns_has_cards_of_some_and_json_has_all(found):
    page = inspection_page(found)
    assert page.count("<article") == 200
    assert "and 103 more columns (103 number)" in page
    assert 'id="column-300"' in page and 'id="column-299"' not in page  # the constant column has a card
    assert page.count('href="#column-') == 200
    assert [column["name"] for column in found.to_json()["columns"]][NUMBERS - 1] == f"gene{NUMBERS - 1}"


def test_few_columns_are_all_shown():
    text = printed(inspection_text(sensorium.inspect({"x": [1.5, 2.5] * 20, "label": ["a", "b"] * 20}, "label")))
    assert "more columns" not in text


def test_fit_of_many_columns_prints_a_screen_and_all_columns_as_json(table, tmp_path):
    pa.csv.write_csv(table.select([*(f"gene{place}" for place in range(80)), "label"]), tmp_path / "wide.csv")
    command = ["fit", str(tmp_path / "wide.csv"), "--target", "label", "--out", str(tmp_path / "run"), "--epochs", "1"]
    shown = CliRunner().invoke(make_app(), [*command, "--json"])
    assert shown.exit_code == 0, shown.output
    assert len(json.loads(shown.stdout)["columns"]) == 80
    assert "and 30 more columns (30 number)" in shown.stderr
    assert shown.stderr.count("gene") < 60


def test_notices_of_many_columns_are_counted(tmp_path):
    random = np.random.default_rng(0)
    far = {f"amount{place}": [*random.normal(size=30), *[-999.0] * 10] for place in range(60)}
    pa.csv.write_csv(pa.table({**far, "label": ["a", "b"] * 20}), tmp_path / "wide.csv")
    command = ["fit", str(tmp_path / "wide.csv"), "--target", "label", "--out", str(tmp_path / "run"), "--epochs", "1"]
    shown = CliRunner().invoke(make_app(), [*command, "--json"])
    notices = json.loads(shown.stdout)["notices"]
    assert len(notices) >= 60
    assert f"and {len(notices) - 30} more notices; --json lists all of them" in shown.stderr


def test_missing_target_names_some_columns(table):
    with pytest.raises(sensorium.SensoriumError) as caught:
        sensorium.fit(table, None)
    assert "and 243 more" in str(caught.value)


def test_subsets_of_many_modalities_are_counted():
    names = [f"text{place}" for place in range(40)]
    results = [Subset([name], 9, 0.5, (0.4, 0.6), None) for name in names]
    results += [Subset([other for other in names if other != name], 9, 0.5, (0.4, 0.6), None) for name in names]
    text = printed(
        subsets_text(Subsets("accuracy", "each alone", [*results, Subset(names, 9, 0.9, (0.8, 1.0), None)], None))
    )
    assert "and 31 more subsets; --json lists every subset" in text
    assert "0.9000" in text  # all modalities


def test_shift_of_many_columns_shows_the_largest():
    columns = {f"gene{place}": {"shift": place / 100} for place in range(80)}
    text = printed(shift_text(ShiftRecord(source="old.csv", columns=columns)))
    assert "gene79" in text and "gene29 " not in text
    assert "and 30 more columns, which changed less" in text


@pytest.mark.parametrize(
    "changed",
    [
        {"present": [1.0, 1.0], "unknown": [0.0, 0.95]},
        {"present": [1.0, 0.4], "unknown": [0.0, 0.0]},
        {"present": [1.0, 1.0], "length": [20.0, 90.0]},
        {"present": [1.0, 1.0], "mean": [2.0, 9.0], "deviation": [0.0, 1.0], "shift": None},
    ],
)
def test_shift_of_many_columns_shows_those_that_changed_without_a_mean(changed):
    columns = {f"gene{place}": {"present": [1.0, 1.0], "shift": 0.5 + place / 100} for place in range(80)}
    text = printed(shift_text(ShiftRecord(source="old.csv", columns={**columns, "kind": changed})))
    assert "kind" in text and "and 31 more columns" in text
