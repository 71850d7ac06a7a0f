"""A comparison of students: rows that the teacher was trained on are kept out of the test rows, or reported."""

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import sensorium
from sensorium.report import comparison_text

SETTINGS = {"fusions": ["concat"], "baselines": ["none"], "width": 8, "progress": False}
ROWS, LEARNED = 90, 30  # rows of the table, and the first ones, on which the teacher was trained


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    label = random.integers(0, 2, ROWS)
    texts = [f"{'calm' if own else 'loud'} {random.choice(['sea', 'town'])} {row}" for row, own in enumerate(label)]
    size = (label + random.normal(0, 0.8, ROWS)).round(4).tolist()
    return {"text": texts, "size": size, "label": np.array(["no", "yes"])[label].tolist()}


@pytest.fixture(scope="module")
def teacher(table, tmp_path_factory):
    """A model that was trained on the first rows."""
    parts = ["train"] * LEARNED + ["val"] * 30 + ["test"] * 30
    named = {**table, "part": parts}
    out = tmp_path_factory.mktemp("teacher")
    settings = {"split": {"column": "part"}, "epochs": 1, "width": 8, "progress": False}
    sensorium.fit(named, "label", columns=["text", "size"], out=out, **settings)
    return str(out)


def compare(table, teacher, **more):
    train = {"teacher": teacher, "epochs": 1}
    return sensorium.compare(table, "label", train=train, **SETTINGS | more)


def of_teacher(comparison):
    return [notice["reason"] for notice in comparison.notices if "the teacher was trained on" in notice["reason"]]


@pytest.mark.slow
def test_test_rows_of_the_teacher_are_reported_where_a_column_fixes_the_split(table, teacher, capsys):
    """Of the first 30 rows, every third one is a test row, and every third one a validation row."""
    named = {**table, "part": ["test", "val", "train"] * (ROWS // 3)}
    found = compare(named, teacher, columns=["text", "size"], split={"column": "part"}, progress=True)
    (reason,) = of_teacher(found)
    assert "the teacher was trained on 10 of 30 test rows and 10 of 30 validation rows" in reason
    assert "overestimate" in reason
    assert reason in " ".join(capsys.readouterr().err.split())
    assert found.results[0].evaluation.n == 30 and found.to_json()["notices"] == found.notices


@pytest.mark.slow
def test_rows_of_the_teacher_stay_in_training_where_the_split_is_drawn(table, teacher, tmp_path):
    found = compare(table, teacher, out=tmp_path)
    assert not of_teacher(found)
    for name in ("text", "size", "concat"):
        model = sensorium.load(tmp_path / name)
        assert f"{LEARNED} training rows of the teacher kept in training" in model.card["split"]
    assert found.results[0].evaluation.n == ROWS // 10


def test_a_blend_does_not_learn_from_a_teacher(table, teacher, monkeypatch):
    monkeypatch.setattr("sensorium.comparison._plan.USUAL", ("concat",))
    monkeypatch.setattr("sensorium.comparison._options.choose_baselines", lambda *_: [])
    found = compare(table, teacher, fusions=None, baselines=None)
    assert found.left_out == {"blend": "train.teacher cannot be combined with a blend"}
    console = Console(width=160, file=StringIO())
    console.print(comparison_text(found))
    assert "blend is left out: train.teacher cannot be combined with a blend" in console.file.getvalue()
