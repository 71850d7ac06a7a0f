"""What a careless or hostile table gets, from end to end: a clear error or a counted problem, and never a lost row."""

import contextlib
import datetime
import math

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import sensorium
from sensorium.errors import DataError, SchemaError, TableError
from sensorium.table import write_table
from sensorium.testing import make_table

ROWS = 60


def fit(table, target="label", **settings):
    return sensorium.fit(table, target, **{"epochs": 1, **settings}, progress=False)


def table(**columns):
    """Two columns that can be learnt from, the label, and what a test adds."""
    random = np.random.default_rng(0)
    label = ["a", "b", "c"] * (ROWS // 3)
    plain = {"x": random.normal(size=ROWS).tolist(), "t": [f"some words {k}" for k in label], "label": label}
    return {**plain, **columns}


def told(model, column):
    return [(problem.row, problem.reason) for problem in model.fit_problems if problem.column == column]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "empty"),
        ("x,label\n", "no rows"),
        ("x,x,label\n1,2,a\n", "2 columns have the name 'x'"),
        ("x,label\n1,a\n2,b,c\n", "line 3"),
    ],
)
def test_a_table_that_is_none_is_refused(content, match, write):
    with pytest.raises(TableError, match=match) as caught:
        fit(write("t.csv", content))
    assert "t.csv" in str(caught.value)


def test_another_encoding_is_named_and_its_cure_works(write):
    lines = ["text,label", *(f"café número {i},{'ja' if i % 2 else 'nein'}" for i in range(40))]
    path = write("t.csv", "\n".join(lines).encode("cp1252"))
    with pytest.raises(TableError, match="utf-8") as caught:
        fit(path)
    assert "encoding" in caught.value.cure
    model = fit(path, config={"table": {"encoding": "cp1252"}})
    assert len(model.predict(path)) == 40


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ("lable", "did you mean 'label'"),
        ("constant", "always 'same'"),
        ("nothing", "missing in every row"),
        (None, "no target is given"),
    ],
)
def test_a_target_that_cannot_be_predicted_is_refused(target, match):
    given = table(constant=["same"] * ROWS, nothing=[None] * ROWS)
    with pytest.raises(sensorium.SensoriumError, match=match):
        fit(given, target)


def test_rows_without_a_label_are_not_used_and_counted():
    labels = [None if i < 7 else k for i, k in enumerate(table()["label"])]
    model = fit(table(label=labels))
    assert told(model, "label") == [(row, "no label: the row is not used") for row in range(7)]
    assert sum(model.card["rows"].values()) == ROWS - 7
    assert len(model.predict(table(label=labels))) == ROWS


def split(one_class_in):
    """A split column whose one part holds rows of one class only."""
    parts = ["train"] * 40 + ["val"] * 10 + ["test"] * 10
    labels = ["a", "b"] * 30
    return table(split=parts, label=["a" if part == one_class_in else k for part, k in zip(parts, labels, strict=True)])


@pytest.mark.parametrize("part", ["val", "test"])
def test_one_class_in_a_split_leaves_metrics_undefined_and_says_so(part):
    model = fit(split(part))
    name = {"val": "validation"}.get(part, part)
    assert model.card["metrics"][name]["metrics"]["roc_auc"] is None
    assert model.card["metrics"][name]["metrics"]["accuracy"] is not None
    assert any("one label" in reason for _, reason in told(model, "label"))


def test_one_class_in_training_is_refused():
    with pytest.raises(SchemaError, match="training rows have one class only"):
        fit(split("train"))


def test_a_label_that_only_test_rows_have_is_told_and_not_scored():
    given = split("nothing")
    given["label"][-1] = "new"
    given["label"][0] = "c"
    model = fit(given)
    assert told(model, "label") == [(ROWS - 1, "a label not seen in training: the row is not scored")]
    assert model.test.n == 9
    assert len(model.predict(given)) == ROWS


def test_a_category_not_seen_in_training_is_told():
    given = table(kind=["u", "v"] * 30)
    model = fit(given)
    given["kind"][3] = "new"
    found = model.predictions(given)
    assert len(found) == ROWS
    assert [(p.row, p.value) for p in found.problems] == [(3, "new")]


def test_an_empty_column_is_left_out_and_said():
    given = table(void=[None] * ROWS)
    assert "void" not in fit(given).columns
    found = {column.name: column for column in sensorium.inspect(given, "label").columns}
    assert found["void"].reason == "every cell is missing"
    assert found["void"].modality is None
    assert "nothing to learn" in found["void"].caution


def test_infinite_and_inexact_numbers_are_told():
    given = table(n=[math.inf, -math.inf, *np.linspace(0, 1, ROWS - 2)], big=[2**60 + i * 7**8 for i in range(ROWS)])
    model = fit(given, modalities={"big": "number"})
    assert [row for row, _ in told(model, "n")] == [None, 0, 1]  # of the column, then of its cells
    assert len(told(model, "big")) == ROWS
    assert np.isfinite(model.predict_proba(given)).all()


def test_a_text_of_a_million_characters_is_told():
    given = table()
    given["t"][5] = "endless " * 125_000
    model = fit(given, encoders={"t": "bilstm"})
    assert [row for row, _ in told(model, "t")] == [5]
    assert len(model.predict(given)) == ROWS


def test_a_row_with_nothing_is_answered_and_told():
    given = table()
    given["x"][4] = given["t"][4] = None
    model = fit(given)
    assert any(p.row == 4 and "no value in any column" in p.reason for p in model.fit_problems)
    answers = model.predict_proba(given)
    assert len(answers) == ROWS
    assert answers[4] == pytest.approx(model.fitted.prior)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A table with pictures and sounds, some of them broken."""
    folder = tmp_path_factory.mktemp("files")
    path = make_table(folder, rows=ROWS, modalities=["image", "audio"])
    image, audio = folder / "image", folder / "audio"
    (image / "0.png").write_bytes(b"")
    (image / "1.png").write_bytes((image / "1.png").read_bytes()[:200])
    Image.effect_noise((64, 64), 50).save(image / "2.jpg")
    (image / "2.png").write_bytes((image / "2.jpg").read_bytes()[:700])
    (image / "3.png").unlink()
    Image.new("1", (12_000, 12_000)).save(image / "4.png")
    soundfile.write(audio / "5.flac", np.zeros(0), 8000, format="WAV")
    soundfile.write(audio / "6.wav", np.full(800, np.nan), 8000, subtype="FLOAT")
    (audio / "6.wav").rename(audio / "6.flac")
    (audio / "7.flac").write_bytes((audio / "7.flac").read_bytes()[:500])
    lines = path.read_text().splitlines()
    lines[9] = lines[9].replace("image/8.png", "../outside.png")
    (folder.parent / "outside.png").write_bytes((image / "8.png").read_bytes())
    path.write_text("\n".join(lines))
    return path


BROKEN = {
    ("image", 0): "empty (0 bytes)",
    ("image", 1): "image is damaged",
    ("image", 2): "image is damaged",
    ("image", 3): "the file does not exist",
    ("image", 4): "pixels",
    ("audio", 5): "no samples",
    ("audio", 6): "not finite numbers",
    ("audio", 7): "audio is",
    ("image", 8): "outside the table's folder",
}


def test_broken_files_are_missing_each_with_its_reason(files):
    model = fit(files)
    found = {(problem.column, problem.row): problem for problem in model.fit_problems}
    assert set(found) == set(BROKEN)
    for place, reason in BROKEN.items():
        assert reason in found[place].reason
        assert found[place].cure
    answers = model.predictions(files)
    assert len(answers) == ROWS
    assert {(p.column, p.row) for p in answers.problems} == set(BROKEN)


def test_paths_may_leave_the_folder_only_when_told(files):
    model = fit(files, config={"table": {"allow_outside": True}})
    assert ("image", 8) not in {(p.column, p.row) for p in model.fit_problems}
    assert ("image", 0) in {(p.column, p.row) for p in model.fit_problems}


def test_a_column_of_which_nothing_can_be_read_is_an_error(tmp_path):
    given = table(image=[f"image/{row}.png" for row in range(ROWS)])
    with pytest.raises(DataError, match="none of the training cells can be read") as caught:
        fit(given)
    assert "the file does not exist" in caught.value.finding
    assert "--exclude image" in caught.value.cure


def test_several_faults_are_told_together():
    with pytest.raises(sensorium.SensoriumError, match="2 faults") as caught:
        fit(table(), config={"width": -1, "train": {"epoks": 3}})
    assert "did you mean 'epochs'" in str(caught.value)


def test_an_empty_split_is_refused():
    with pytest.raises(SchemaError, match="no row with a label is in the training split"):
        fit(table(split=["test"] * ROWS))


def as_file(kind, path):
    """A sound table as a file of some kind: its bytes."""
    rows = pa.table({"x": [1, 2, 3] * 4, "t": ["a, b", "c", "two\nlines"] * 4, "label": ["u", "v"] * 6})
    target = path / f"t.{kind}"
    if kind == "stream.arrow":
        with pa.OSFile(str(target), "wb") as stream, pa.ipc.new_stream(stream, rows.schema) as writer:
            writer.write_table(rows)
    else:
        write_table(rows, target)
    return target, target.read_bytes()


DAMAGE = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 30), st.binary(max_size=8)), min_size=1, max_size=4)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "arrow", "stream.arrow"])
def test_a_damaged_file_is_read_or_refused_but_never_crashes(kind, tmp_path):
    target, whole = as_file(kind, tmp_path)

    @settings(deadline=None, max_examples=50, derandomize=True)
    @given(DAMAGE)
    def check(damage):
        content = whole
        for place, length, put in damage:
            place %= len(content) + 1
            content = content[:place] + put + content[place + length :]
        target.write_bytes(content)
        with contextlib.suppress(sensorium.SensoriumError):
            assert sensorium.inspect(target).rows > 0

    check()


def test_arrow_files_with_wild_offsets_are_refused(tmp_path):
    """Arrow itself would read beyond the end of the memory."""
    target, whole = as_file("arrow", tmp_path)
    offsets = np.cumsum([0, 4, 1, 9, 4]).astype("<i4").tobytes()
    assert whole.count(offsets) == 1
    target.write_bytes(whole.replace(offsets, np.array([0, 4, 5, 2**30, 18], "<i4").tobytes()))
    with pytest.raises(TableError, match="damaged"):
        fit(target)


def test_names_that_no_table_can_hold_are_refused():
    with pytest.raises(TableError, match="cannot read the object as a table"):
        fit({"x\udfff": [1, 2]})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"\\ud800": 1, "label": "u"}', "not valid Unicode"),
        ("[" * 100_000, "line 2"),
    ],
    ids=["half a character in a name", "nested without end"],
)
def test_json_that_no_table_can_hold_is_refused(line, words, write):
    with pytest.raises(TableError, match=words) as caught:
        fit(write("t.jsonl", '{"x": 1, "label": "u"}\n' + line + "\n"))
    assert "t.jsonl" in str(caught.value)


def test_huge_whole_numbers_as_target_and_column_are_learnt_from():
    given = table(label=[2**60 + 7**9 * i for i in range(ROWS)], x=[-(2**60) - 3 * i for i in range(ROWS)])
    model = fit(given, modalities={"x": "number"})
    assert model.task == "regression"
    assert {problem.column for problem in model.fit_problems} == {"x", "label"}
    assert np.isfinite(model.predict(given)).all()


def test_a_target_of_which_no_label_can_be_used_is_named():
    with pytest.raises(DataError, match="no training label can be used") as caught:
        fit(table(label=[f"word {i}" for i in range(ROWS)]), task="regression")
    assert "'label'" in caught.value.place
    assert f"{ROWS} × not a number" in caught.value.finding


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_lists_as_labels_of_one_class_are_refused(task):
    with pytest.raises(SchemaError, match="list<item: string>") as caught:
        fit(table(label=[["a"], ["b"]] * (ROWS // 2)), task=task)
    assert "multilabel" in caught.value.cure


def test_labels_that_are_no_finite_numbers_are_not_used_and_counted():
    given = table(label=[math.inf, -math.inf, None, *np.linspace(0.5, 9, ROWS - 3).tolist()])
    model = fit(given)
    assert [row for row, _ in told(model, "label")] == [None, 0, 1, 2]  # of the column, then of its cells
    assert sum(outcome["n"] for outcome in model.card["metrics"].values()) <= 12
    assert len(model.predict(given)) == ROWS


def test_a_split_whose_labels_are_all_new_has_no_metrics_but_says_why():
    given = split("nothing")
    given["label"] = [*given["label"][:50], *["new"] * 10]
    model = fit(given, task="binary")
    assert model.test is None
    assert [row for row, _ in told(model, "label")] == list(range(50, 60))


@pytest.mark.parametrize("rows", [4, 5, 7])
def test_a_handful_of_rows_is_enough(rows):
    given = {"x": [0.5 * i for i in range(rows)], "label": (["a", "b"] * rows)[:rows]}
    model = fit(given)
    assert len(model.predict(given)) == rows
    assert model.card["metrics"]["validation"]["metrics"]["mcc"] is None


def test_a_column_that_only_other_rows_fill_is_left_out_and_said(capsys):
    given = split("nothing") | {"late": [None] * 40 + [float(i * i) for i in range(20)]}
    model = sensorium.fit(given, "label", epochs=1)
    assert "late" not in model.columns
    assert "late: left out: no training row has a value" in capsys.readouterr().err
    assert "late" in {plan["name"] for plan in model.card["columns"] if plan["modality"] is None}


@pytest.mark.parametrize("cells", [{"a": 1}, ["a"], datetime.time(1)], ids=["objects", "lists", "times"])
def test_columns_of_types_that_nothing_learns_from_spare_the_others(cells):
    given = table(odd=[cells, None] * (ROWS // 2))
    assert "x" in fit(given).columns
    assert len(sensorium.inspect(given, "label").columns) == 4


@pytest.fixture(scope="module")
def model():
    """A model of a number, a category, a yes or no, a date and a text."""
    random = np.random.default_rng(0)
    return fit({
        "n": random.normal(size=ROWS), "c": random.choice(["u", "v", "w"], ROWS), "b": ["yes", "no"] * (ROWS // 2),
        "d": [f"2026-0{1 + i % 9}-11" for i in range(ROWS)], "t": [f"words {i % 7} and more" for i in range(ROWS)],
        "label": ["p", "q", "r"] * (ROWS // 3),
    })  # fmt: skip


CELL = st.sampled_from([
    None, "", " ", "\0", "yes", "u", "new", "2026-01-11", "11/13/2026", "words 3", "1e400", "-inf", "50+", "😀" * 500
]) | st.text(max_size=12)  # fmt: skip
COLUMN = st.one_of(
    st.lists(CELL, min_size=3, max_size=3),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.none() | st.floats(), min_size=3, max_size=3),
    st.lists(st.none() | st.dates() | st.datetimes(), min_size=3, max_size=3).map(lambda days: [*map(str, days)]),
    st.sampled_from([[True, False, None], [b"\xff", b"", None], [["a"], [], None], [datetime.date(1, 1, 1)] * 3]),
)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.dictionaries(st.sampled_from("ncbdt"), COLUMN, min_size=1))
def test_any_rows_are_answered_and_each_unreadable_cell_is_told(model, cells):
    found = model.predictions(cells)
    answers = found.to_arrow()
    assert answers.num_rows == 3
    shares = np.stack([answers.column(f"probability_{label}") for label in model.labels], 1)
    assert np.isfinite(shares).all()
    assert shares.sum(1) == pytest.approx(np.ones(3))
    for problem in found.problems.of_cells():
        assert 0 <= problem.row < 3 and problem.reason
        assert problem.reason in answers.column("problem")[problem.row].as_py()
