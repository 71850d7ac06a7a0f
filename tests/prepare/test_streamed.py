"""`--stream`: files are decoded when a batch asks for them; nothing is kept, nothing is lost."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import sensorium
from sensorium.cli._main import make_app
from sensorium.errors import DataError

ROWS, BROKEN = 48, (5, 30)


@pytest.fixture
def table(tmp_path):
    """Dark and bright pictures; two files are broken, one of them in a row without a number."""
    random, lines = np.random.default_rng(0), ["image,number,label,part"]
    for row in range(ROWS):
        bright = row % 2
        pixels = random.integers(0, 100, (16, 16, 3)) + 100 * bright
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{row}.png")
        if row in BROKEN:
            (tmp_path / f"{row}.png").write_text("no picture")
        number = "" if row == BROKEN[1] else f"{random.normal():.3f}"
        part = "test" if row >= ROWS - 8 or row == BROKEN[1] else "validation" if row >= ROWS - 16 else "train"
        lines.append(f"{row}.png,{number},{'dark' if not bright else 'bright'},{part}")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    return path


def fit(table, stream, columns=("image", "number"), **settings):
    config = {"prepare": {"stream": stream}, "split": {"column": "part"}, "train": {"epochs": 3}}
    return sensorium.fit(table, "label", config=config, columns=list(columns), progress=False, **settings)


def weights(model):
    found = model.fitted.network.state_dict()
    return hashlib.sha256(b"".join(found[name].numpy().tobytes() for name in sorted(found))).hexdigest()


def test_it_learns_the_same_and_keeps_nothing(table, tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path / "cache"))
    streamed = fit(table, stream=True)
    assert not (tmp_path / "cache").exists()
    stored = fit(table, stream=False)
    assert (tmp_path / "cache").exists()
    assert weights(streamed) == weights(stored)
    assert streamed.test.to_json() == stored.test.to_json()


def test_what_cannot_be_read_is_told_once_with_its_row(table, tmp_path):
    model = fit(table, stream=True, out=tmp_path / "run")
    told = [problem for problem in model.fit_problems if problem.column == "image"]
    assert [problem.row for problem in told] == list(BROKEN)
    lines = (tmp_path / "run" / "problems.jsonl").read_text().splitlines()
    assert [json.loads(line)["row"] for line in lines if json.loads(line)["column"] == "image"] == list(BROKEN)
    assert model.card["problems"] == len(lines)


def test_a_row_that_turns_out_empty_gets_the_average_of_the_training_rows(table):
    model = fit(table, stream=True, columns=["image"])
    stored = fit(table, stream=False, columns=["image"])
    assert model.test.n == stored.test.n
    assert model.test.metrics["log_loss"] == pytest.approx(stored.test.metrics["log_loss"], abs=0.2)


def test_a_column_without_a_readable_file_is_an_error_before_training(table):
    for row in range(ROWS):
        (table.parent / f"{row}.png").write_text("no picture")
    with pytest.raises(DataError, match="none of the training cells can be read"):
        fit(table, stream=True)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["fit", "compare"])
def test_the_flag_streams(command, table, tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path / "cache"))
    arguments = [command, str(table), "--target", "label", "--columns", "image,number", "--epochs", "1"]
    found = CliRunner().invoke(
        make_app(), [*arguments, "--split-column", "part", "--stream", "--out", str(tmp_path / "out")]
    )
    assert found.exit_code == 0, found.output
    assert not (tmp_path / "cache").exists()
