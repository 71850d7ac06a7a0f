"""Columns are recognised, with a reason; what is unsure is said; one setting overrides."""

import pytest

import sensorium
from sensorium.errors import SchemaError, UnknownNameError

pytestmark = pytest.mark.unit

N = 60
WORDS = ["red", "green", "blue", "round", "square", "heavy", "light", "old", "new", "cheap"]


def plan(values, name="c", **config):
    """What becomes of one column of N cells beside a plain number."""
    table = {name: values, "other": [i * 0.37 for i in range(len(values))]}
    found = sensorium.inspect(table, config=config)
    return next(column for column in found.columns if column.name == name)


CASES = {
    "decimals": ([i / 7 for i in range(N)], "number"),
    "counts": ([i * i for i in range(N)], "number"),
    "number text": ([f"{i},000.5" for i in range(1, N + 1)], "number"),
    "money": ([f"${i}" for i in range(N)], "number"),
    "yes and no": (["yes", "no"] * (N // 2), "boolean"),
    "zero and one": ([0, 1] * (N // 2), "boolean"),
    "booleans": ([True, False] * (N // 2), "boolean"),
    "numbered things": ([7 + 3 * (i % 9) for i in range(N)], "category", "shop_id"),
    "few words": (["red", "green", "blue"] * (N // 3), "category"),
    "sentences": ([" ".join(WORDS[(i * k) % 10] for k in range(1, 8)) for i in range(N)], "text"),
    "short names": ([f"{WORDS[i % 10]} {WORDS[(3 * i) % 10]} {i}" for i in range(N)], "text"),
    "chinese": ([f"这件衣服非常好看我很喜欢{i}" for i in range(N)], "text"),
    "iso dates": ([f"2026-01-{1 + i % 28:02d}" for i in range(N)], "date"),
    "times": ([f"2026-01-{1 + i % 28:02d}T10:{i:02d}:00Z" for i in range(N)], "date"),
    "german dates": ([f"{1 + i % 28:02d}.{1 + i % 12:02d}.2026" for i in range(N)], "date"),
    "written dates": ([f"{1 + i % 28} March 2026" for i in range(N)], "date"),
}


@pytest.mark.parametrize("case", CASES)
def test_columns_are_recognised(case):
    values, modality, *name = CASES[case]
    found = plan(values, *name)
    assert found.modality == modality
    assert found.reason


LEFT_OUT = {
    "unique codes": ([f"A{i:04d}" for i in range(N)], "identifier"),
    "running numbers": (list(range(100, 100 + N)), "row numbers: 60 consecutive whole numbers from 100 to 159"),
    "one value": (["same"] * N, "always 'same'"),
    "nothing": ([None] * N, "every cell is missing"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_useless_columns_are_left_out_with_a_reason(case):
    values, reason = LEFT_OUT[case]
    found = plan(values)
    assert found.modality is None
    assert reason in found.reason


def test_identifiers_can_be_used_when_asked_for():
    codes = LEFT_OUT["unique codes"][0]
    assert plan(codes, modalities={"c": "category"}).modality == "category"
    assert plan(codes, columns=["c", "other"]).modality is not None


UNSAFE = {
    "numbers and words": (
        [*map(str, range(12, 60)), "50+", "early 40s"],
        "not numbers ('early 40s') are read as missing",
    ),
    "few numbers and words": (
        ["12", "13", "14", "50+", "early 40s", "15"] * 10,
        "if it is not category: --modality c=number",
    ),
    "day or month first": (
        [f"{1 + i % 12:02d}/{1 + i % 12:02d}/2026" for i in range(N)],
        "ambiguous order, read as day first",
    ),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_guesses_are_said(case):
    values, words = UNSAFE[case]
    assert words in plan(values).caution


def test_missing_files_are_said(tmp_path):
    (tmp_path / "t.csv").write_text("image,label\n" + "\n".join(f"nowhere/{i}.png,{i % 2}" for i in range(20)))
    found = sensorium.inspect(tmp_path / "t.csv", "label").columns[0]
    assert found.modality == "image"
    assert "20 of 20 checked files were not found" in found.caution
    assert "the file does not exist" in found.unreadable[0]


def test_one_line_overrides_a_guess():
    assert plan([1, 2, 3, 4] * 15).modality == "number"
    assert plan([1, 2, 3, 4] * 15, modalities={"c": "category"}).modality == "category"


def test_unknown_modalities_and_columns_get_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'category'"):
        plan([1, 2] * 30, modalities={"c": "categry"})
    with pytest.raises(SchemaError, match="no column 'othr'"):
        plan([1, 2] * 30, columns=["othr"])


def test_several_faults_are_told_together():
    with pytest.raises(SchemaError) as caught:
        plan([1, 2] * 30, columns=["a1"], exclude=["b2"])
    assert "'a1'" in str(caught.value)
    assert "'b2'" in str(caught.value)


TARGETS = {
    "two words": (["spam", "ham"], "binary"),
    "zero and one": ([0, 1], "binary"),
    "words": (["a", "b", "c"], "multiclass"),
    "few integers": ([1, 2, 3, 4], "multiclass"),
    "whole floats": ([1.0, 2.0, 3.0], "multiclass"),
    "decimals": ([0.5, 1.25, 7.125], "regression"),
    "many integers": (list(range(0, 300, 5)), "regression"),
    "lists": ([["a"], ["a", "b"], []], "multilabel"),
}


@pytest.mark.parametrize("case", TARGETS)
def test_tasks_are_recognised(case):
    values, task = TARGETS[case]
    labels = (values * N)[:N]
    found = sensorium.inspect({"x": [i * 0.37 for i in range(N)], "y": labels}, "y")
    assert found.target["task"] == task
    assert found.target["reason"]


def test_whole_numbers_as_classes_are_said():
    found = sensorium.inspect({"x": [i * 0.37 for i in range(N)], "y": [1, 2, 3] * 20}, "y")
    assert "--task regression" in found.target["caution"]


def test_bad_targets_are_told():
    x = [i * 0.37 for i in range(N)]
    for y, words in (([None] * N, "missing in every row"), (["same"] * N, "always 'same'")):
        with pytest.raises(SchemaError, match=words):
            sensorium.inspect({"x": x, "y": y}, "y")
    with pytest.raises(SchemaError, match="no column 'z'"):
        sensorium.inspect({"x": x, "y": x}, "z")


def test_nothing_to_learn_from_is_told():
    with pytest.raises(SchemaError, match="no column is left to learn from"):
        sensorium.inspect({"x": ["same"] * N, "y": [0, 1] * 30}, "y")


def test_whole_numbers_beyond_float_precision_are_said():
    big = [2**60 + 3 * (i % 20) for i in range(N)]
    found = plan(big)
    assert found.modality != "number" or "this is a guess" in found.caution
    as_number = plan(big, modalities={"c": "number"})
    assert "exceeds 2^53" in as_number.unreadable[0]


@pytest.mark.parametrize(("setting", "by"), [("group", "shop"), ("time", "other")])
def test_a_split_column_that_is_not_used_is_told(setting, by):
    table = {
        "split": ["train", "test", "train"] * (N // 3),
        "shop": [k % 7 for k in range(N)],
        "other": [k * 0.37 for k in range(N)],
        "y": ["a", "b"] * (N // 2),
    }
    found = {column.name: column for column in sensorium.inspect(table, "y", config={"split": {setting: by}}).columns}
    assert f"is not used as one because split.{setting} is set; --split-column split" in found["split"].caution
    plain = {column.name: column for column in sensorium.inspect(table, "y").columns}
    assert (plain["split"].reason, plain["split"].caution) == ("names the split", "")


def test_a_word_to_the_user_goes_with_the_claim_that_wins():
    found = plan([f"{k % 24}:{k % 6}0" for k in range(N)])
    assert found.modality != "date"
    assert "times of day" in found.caution
