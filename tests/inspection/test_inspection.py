"""A table seen before training: what each column is taken for and why, and what to look at."""

import json
from datetime import date

import pytest

import sensorium
from sensorium.errors import SchemaError
from sensorium.testing import make_table


def by_name(found):
    return {column.name: column for column in found.columns}


@pytest.fixture(scope="module")
def seen(made):
    return sensorium.inspect(made, "label")


def test_it_says_what_fit_will_do(seen, made, run):
    model = sensorium.load(run)
    assert {c.name: c.modality for c in seen.columns if c.modality} == model.columns
    assert seen.target["task"] == model.task
    assert seen.split["rows"] == model.card["rows"]
    told = {plan["name"]: (plan["reason"], plan["caution"]) for plan in model.card["columns"]}
    [choice] = [notice for notice in model.card["notices"] if "encoded by" in notice["reason"]]
    reason = choice["reason"].replace(", not by", " unless the preset uses a backbone, not by")
    told["text"] = (told["text"][0], f"{reason} ({choice['cure']})")
    assert {c.name: (c.reason, c.caution) for c in seen.columns} == told


def test_a_column_prints_in_one_line(seen):
    for column in seen.columns:
        line = str(column)
        assert "\n" not in line and "array(" not in line
        assert repr(column.name) in line and column.reason in line and (column.modality or "left out") in line
        assert f"{column.rows:,} rows, {column.missing:,} missing" in line


@pytest.mark.unit
def test_gaps_and_examples_are_those_of_the_table(seen, made):
    import pandas as pd

    table = pd.read_csv(made)
    assert [c.name for c in seen.columns] == list(table.columns)
    for name, column in by_name(seen).items():
        assert column.rows == len(table)
        assert column.missing == table[name].isna().sum()
        assert column.distinct == table[name].nunique()
        if name == "text":
            assert column.examples and set(column.examples) <= set(table[name].dropna())


@pytest.mark.unit
def test_everything_has_a_reason(seen):
    assert all(column.reason for column in seen.columns)
    assert seen.target["reason"]
    assert by_name(seen)["label"].reason == "the target"


@pytest.mark.unit
def test_without_a_target_the_label_is_a_column_like_others(made):
    found = sensorium.inspect(made)
    assert (found.target, found.split) == (None, None)
    assert by_name(found)["label"].modality == "category"


ROWS = 60
ODD = {
    "number": list(range(7, 7 + 7 * ROWS, 7)),
    "id": [f"K{i:05d}X" for i in range(ROWS)],
    "same": ["one"] * ROWS,
    "nothing": [None] * ROWS,
    "grade": [i % 4 for i in range(ROWS)],
    "age": ["12", "13", "14", "50+", "early 40s", "15"] * (ROWS // 6),
    "split": ["train", "train", "val", "test"] * (ROWS // 4),
    "y": [0.5 * i for i in range(ROWS)],
}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("id", "identifier"),
        ("same", "always 'one'"),
        ("nothing", "every cell is missing"),
        ("split", "names the split"),
    ],
)
def test_columns_that_are_left_out_say_why(name, reason):
    column = by_name(sensorium.inspect(ODD, "y"))[name]
    assert column.modality is None
    assert reason in column.reason


@pytest.mark.unit
def test_a_guess_that_may_be_wrong_says_how_to_mend_it():
    column = by_name(sensorium.inspect(ODD, "y"))["age"]
    other = {"number": "category", "category": "number"}[column.modality]
    assert f"--modality age={other}" in column.caution
    mended = by_name(sensorium.inspect(ODD, "y", config={"modalities": {"age": other}}))["age"]
    assert mended.modality == other
    assert f"--modality age={column.modality}" not in mended.caution


@pytest.mark.unit
@pytest.mark.parametrize(
    ("target", "task"),
    [("y", "regression"), ("same_or_not", "binary"), ("grade", "multiclass"), ("tags", "multilabel")],
)
def test_the_targets_task_is_told(target, task):
    table = ODD | {"same_or_not": ["no", "yes"] * (ROWS // 2), "tags": [["a"], ["a", "b"], []] * (ROWS // 3)}
    assert sensorium.inspect(table, target).target["task"] == task


@pytest.mark.unit
def test_cells_that_cannot_be_read_are_counted_with_their_rows(tmp_path):
    table = make_table(tmp_path, rows=40, modalities=["image", "text"])
    (tmp_path / "image" / "4.png").write_bytes(b"")
    (tmp_path / "image" / "9.png").unlink()
    (line,) = [line for line in by_name(sensorium.inspect(table))["image"].unreadable if "empty" in line]
    assert "1 ×" in line and "row 4" in line and "image/4.png" in line
    assert any("row 9" in line for line in by_name(sensorium.inspect(table))["image"].unreadable)
    assert by_name(sensorium.inspect(table))["text"].unreadable == []


@pytest.mark.unit
def test_any_table_becomes_json():
    table = {
        "day": [date(2025, 1, 1 + i % 28) for i in range(ROWS)],
        "bytes": [bytes([i, 255]) for i in range(ROWS)],
        "tags": [["a", "b"][: i % 3] for i in range(ROWS)],
        "gaps": [float("nan"), float("inf"), None, 1.0] * (ROWS // 4),
        "text": ["ein\u2028zwei \U0001f600 " * (1 + i) for i in range(ROWS)],
        "y": [i % 3 for i in range(ROWS)],
    }
    found = sensorium.inspect(table, "y").to_json()
    assert json.loads(json.dumps(found, allow_nan=False))["rows"] == ROWS
    longest = max(len(example) for column in found["columns"] for example in column["examples"])
    assert longest < 120  # no page of text in a report


@pytest.mark.unit
def test_a_target_that_is_not_there_is_refused(made):
    with pytest.raises(SchemaError, match="no column 'lable'") as caught:
        sensorium.inspect(made, "lable")
    assert "'label'" in caught.value.cure


COLUMN_KEYS = {
    "name", "modality", "reason", "caution", "rows", "missing", "distinct", "examples", "unreadable", "checked",
    "undecodable", "faults", "commonest", "coverage", "distribution",
}  # fmt: skip


@pytest.mark.unit
def test_the_keys_of_the_json_are_these(made):
    found = sensorium.inspect(made, "label").to_json()
    assert set(found) == {"table", "rows", "columns", "target", "split", "notices", "copies", "advice", "every"}
    assert all(set(column) == COLUMN_KEYS for column in found["columns"])
    assert set(found["target"]) == {"column", "task", "reason", "caution", "missing", "labels"}


@pytest.mark.unit
def test_distributions_are_those_of_the_cells():
    numbers = [i / 2 for i in range(100)]
    days = [date(2025, 1, 1 + i % 28) for i in range(100)]
    table = {"n": numbers, "day": days, "text": [f"word {i} and {'more ' * i}" for i in range(100)]}
    columns = {c["name"]: c["distribution"][0] for c in sensorium.inspect(table).to_json()["columns"]}
    assert (columns["n"]["lowest"], columns["n"]["median"], columns["n"]["highest"]) == (0, 24.75, 49.5)
    assert columns["n"]["counts"] == [5] * 20 and len(columns["n"]["edges"]) == 21
    assert (columns["day"]["lowest"], columns["day"]["highest"]) == ("2025-01-01", "2025-01-28")
    assert columns["text"]["highest"] == len(table["text"][-1])


@pytest.mark.unit
def test_huge_numbers_and_far_days_have_distributions_too():
    table = {"n": [1e308, -1e308, 0.0, 5e-324] * 10, "day": [date(1, 1, 1), date(9999, 12, 31)] * 20}
    columns = {c["name"]: c["distribution"][0] for c in sensorium.inspect(table).to_json()["columns"]}
    assert sum(columns["n"]["counts"]) == 40
    assert columns["day"]["lowest"] == "0001-01-01"


@pytest.mark.unit
def test_commonest_values_are_counted():
    (column,) = sensorium.inspect({"c": ["a", "b", "b", None] * 10}).columns
    assert column.commonest == [("b", 20), ("a", 10)]


@pytest.mark.unit
def test_labels_are_counted_by_split():
    table = {
        "x": list(range(7, 47)),
        "y": ["a", "a", "b", "a"] * 10,
        "split": ["train"] * 30 + ["val"] * 4 + ["test"] * 6,
    }
    labels = sensorium.inspect(table, "y", config={"modalities": {"x": "number"}}).target["labels"]
    assert labels[0] == {"label": "a", "rows": 30, "train": 23, "validation": 3, "test": 4}
    assert sum(label["rows"] for label in labels) == 40


def test_every_cell_is_decoded_where_asked(tmp_path):
    table = make_table(tmp_path, rows=240, modalities=["image"])
    for row in (1, 3, 5):  # between the cells of the sample or not
        (tmp_path / "image" / f"{row}.png").write_bytes(b"no picture")
    sample, every = (by_name(sensorium.inspect(table, every=flag))["image"] for flag in (False, True))
    assert (sample.checked, every.checked, every.undecodable) == (200, 240, 3)
    assert every.coverage == pytest.approx({"present": 237 / 240, "missing": 0, "undecodable": 3 / 240})
    (fault,) = every.faults
    assert fault["rows"] == [1, 3, 5] and fault["count"] == 3 and fault["cure"]


def advice(table, target=None, **config):
    """Return setting → reason, without what is advised for any small table."""
    found = sensorium.inspect(table, target, config=config).advice
    return {a["setting"]: a["reason"] for a in found if "--folds" not in a["reason"]}


@pytest.mark.unit
def test_a_group_and_a_time_to_split_by_are_proposed():
    table = {
        "patient": [f"p{i // 3}" for i in range(90)],
        "seen": [date(2024 + i // 50, 1 + i % 12, 1) for i in range(90)],
        "x": [((i * 37) % 91) / 7 for i in range(90)],
        "y": ["a", "b"] * 45,
    }
    told = advice(table, "y")
    assert "patient has 30 different values" in told["split.group=patient"]
    assert "are in several splits" in told["split.group=patient"]
    assert "from 2024-01-01 to 2025-12-01" in told["split.time=seen"]
    assert "split.group=patient" not in advice(table, "y", split={"group": "patient"})
    for setting in told:  # what is proposed can be set
        name, _, column = setting.removeprefix("split.").partition("=")
        assert sensorium.inspect(table, "y", config={"split": {name: column}}).split["how"].startswith("made: by")


@pytest.mark.unit
@pytest.mark.parametrize(("rows", "advised"), [(12, False), (90, True), (999, True), (1000, False)])
def test_cross_validation_is_advised_below_a_thousand_labelled_rows(rows, advised):
    table = {
        "x": [(i * 37) % 911 / 7 for i in range(rows + 5)],
        "my label": ["a", "b"] * (rows // 2) + ["a"] * (rows % 2),
    }
    table["my label"] += [None] * 5
    told = [a["reason"] for a in sensorium.inspect(table, "my label").advice if "--folds" in a["reason"]]
    assert len(told) == advised
    if rows == 90:
        (reason,) = told
        assert reason == (
            "90 rows with a label, of which 9 are tested: to test more of them, cross-validate: sensorium fit TABLE "
            "--target 'my label' --folds 5 (Python: folds=5)"
        )


@pytest.mark.unit
def test_a_column_of_many_words_is_proposed_as_a_setting_takes_it():
    table = {"our patient": [f"p{i // 3}" for i in range(90)], "x": [(i * 37) % 91 / 7 for i in range(90)]}
    assert list(advice(table)) == ['split.group="our patient"']


@pytest.mark.unit
def test_rows_that_cannot_be_split_can_be_looked_at():
    found = sensorium.inspect({"x": [(i * 37) % 91 / 7 for i in range(40)], "split": ["test"] * 20 + ["val"] * 20})
    assert (found.rows, found.split) == (40, None)


@pytest.mark.unit
def test_a_column_that_nearly_tells_the_label_is_pointed_out():
    stars = [1 + (i * 7) % 5 for i in range(400)]
    liked = ["yes" if (s > 2) != (i % 29 == 0) else "no" for i, s in enumerate(stars)]
    table = {"stars": stars, "other": [(i * 13) % 4 for i in range(400)], "liked": liked}
    told = advice(table, "liked")
    assert set(told) == {"exclude=[stars]"}
    assert "use the column only if it is known at prediction time" in told["exclude=[stars]"]


@pytest.mark.unit
def test_a_column_filled_only_beside_one_label_is_pointed_out():
    sick = [i % 3 == 0 for i in range(120)]
    table = {
        "onset": [float((i * 31) % 17) if s else None for i, s in enumerate(sick)],
        "x": [None if i % 5 == 0 else (i * 37) % 91 / 7 for i in range(120)],
        "y": ["sick" if s else "well" for s in sick],
    }
    columns = by_name(sensorium.inspect(table, "y"))
    assert "'a gap'" in columns["onset"].caution and "--exclude onset" in columns["onset"].caution
    assert columns["x"].caution == ""
