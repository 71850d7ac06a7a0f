"""A continued or distilled model is validated and tested on rows that the earlier model was not trained on."""

import numpy as np
import pandas as pd
import pytest

import sensorium
from sensorium.config import SplitConfig
from sensorium.split import EarlierRows, make_split
from sensorium.table import open_table

FAST = {"progress": False, "epochs": 1}


def made(rows, seed=1):
    random = np.random.default_rng(seed)
    size = random.normal(size=rows).round(4)
    label = np.where(size + random.normal(size=rows) > 0, "up", "down")
    return pd.DataFrame({"size": size, "ward": np.arange(rows) // 4, "day": np.arange(rows), "y": label})


@pytest.fixture(scope="module")
def frame():
    return made(210)


@pytest.fixture(scope="module")
def start(frame):
    return sensorium.fit(frame.iloc[:180], "y", columns=["size"], **FAST)


@pytest.mark.parametrize("seed", [0, 5])
def test_rows_of_the_start_model_stay_in_the_training_part(seed, frame, start):
    model = sensorium.fit(frame, "y", start=start, **FAST, seed=seed)
    assert f"{start.card['rows']['train']} training rows of the start model kept in training" in model.card["split"]
    assert model.card["rows"] == {"train": 168, "validation": 21, "test": 21}
    assert "was trained on" not in str(model.card["notices"])
    assert "trained" not in model.card["moved"]["metrics"]


def test_the_split_is_found_again_after_saving(frame, start, tmp_path):
    sensorium.fit(frame, "y", start=start, out=tmp_path / "run", **FAST, seed=5)
    model = sensorium.load(tmp_path / "run")
    evaluation = model.evaluate(frame)
    assert (evaluation.rows, evaluation.n) == ("test rows", 21)
    assert evaluation.metrics == pytest.approx(model.card["metrics"]["test"]["metrics"])
    assert not [problem for problem in evaluation.problems if "training row" in problem.reason]


def test_rows_of_the_teacher_stay_in_the_training_part(frame, start, tmp_path):
    start.save(tmp_path / "teacher")
    train = {"teacher": str(tmp_path / "teacher"), "techniques": {"distillation": {}}, "epochs": 1}
    model = sensorium.fit(frame, "y", columns=["size"], train=train, seed=5, progress=False)
    assert "training rows of the teacher kept in training" in model.card["split"]


def test_a_split_column_is_kept_and_its_training_rows_are_reported(frame, start, capsys):
    table = frame.iloc[:90].assign(part=["test", "val", "train"] * 30)
    model = sensorium.fit(table, "y", start=start, split={"column": "part"}, epochs=1)
    said = " ".join(capsys.readouterr().err.split())
    assert "the start model was trained on" in said and "of 30 test rows" in said and "of 30 validation rows" in said
    shift = model.card["moved"]["metrics"]
    assert 0 < shift["after"]["n"] < 30  # the rows that are new to both
    evaluation = model.evaluate(table)
    assert [p.reason for p in evaluation.problems if "training rows: the metrics overestimate" in p.reason]


def test_too_few_new_rows_leave_the_split_as_it_is(frame):
    rows = frame.iloc[:60]
    named = rows.assign(part=["train"] * 56 + ["val"] * 4)
    start = sensorium.fit(named, "y", split={"column": "part"}, columns=["size"], **FAST)
    model = sensorium.fit(rows, "y", start=start, split={"column": None}, seed=2, **FAST)
    assert model.card["rows"]["test"] == 6 and "kept in training" not in model.card["split"]
    assert [n for n in model.card["notices"] if "the start model was trained on" in str(n)]


def split_of(frame, rows, **settings):
    table = open_table(frame)
    earlier = EarlierRows.at(rows, len(frame))
    return make_split(table, table.column("y"), SplitConfig(**settings), None, 3, earlier=earlier)


def test_groups_stay_whole(frame):
    split = split_of(frame, range(0, 100, 8), group="ward")
    ward = frame.ward.to_numpy()
    assert not np.isin(ward[split.codes > 0], ward[range(0, 100, 8)]).any()
    assert all(len(set(split.codes[ward == each])) == 1 for each in set(ward))
    assert (split.codes == 2).sum() == pytest.approx(21, abs=4)


def test_times_fix_the_split(frame):
    split = split_of(frame, range(180, 210), time="day")
    table = open_table(frame)
    plain = make_split(table, table.column("y"), SplitConfig(time="day"), None, 3)
    assert (split.codes == plain.codes).all()
    assert "was trained on 21 of 21 test rows" in split.findings[-1].reason


def test_hashes_of_a_sample_give_an_estimate(frame):
    """Of 100 training rows, a model knows 25: the others cannot be moved."""
    weights = np.zeros(len(frame))
    weights[:100:4] = 4.0
    table = open_table(frame)
    split = make_split(table, table.column("y"), SplitConfig(), None, 3, earlier=EarlierRows(weights))
    assert (split.codes[:100:4] == 0).all()
    assert "was trained on about 41% of 21 test rows" in split.findings[-1].reason  # 75 of the 185 other rows


def test_adapt_compares_metrics_on_new_rows(frame, tmp_path):
    from sensorium.testing import make_table

    photos = make_table(tmp_path, rows=40, modalities=["image"])
    model = sensorium.fit(photos, "label", **FAST)
    metrics = model.adapt(photos).card["moved"]["metrics"]
    assert metrics["after"]["n"] == 40 - model.card["rows"]["train"] and "trained" not in metrics


def test_a_start_model_in_memory_can_be_continued_into_a_run(start, frame, tmp_path):
    """Scalars of a network that was copied may have the stride 0."""
    assert sensorium.fit(frame, "y", start=start, out=tmp_path / "run", **FAST).fitted.seen
