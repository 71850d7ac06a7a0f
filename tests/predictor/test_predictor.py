"""A fitted model at work: every row gets an answer, whatever of it is there."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sensorium
from sensorium.errors import DataError, SchemaError, TableError
from sensorium.predictor import Model, _tables
from sensorium.table import open_table

COLUMNS = ["image", "audio", "text", "number", "category", "boolean", "date"]


@pytest.fixture(scope="module")
def model(run):
    return sensorium.load(run)


@pytest.fixture(scope="module")
def table(made):
    return open_table(made)


def only(table, columns):
    """The table with some of its columns."""
    return replace(table, arrow=table.arrow.select(columns))


def test_labels_and_probabilities_agree(model, made):
    labels, shares = model.predict(made), model.predict_proba(made)
    assert shares.shape == (160, 3)
    assert shares.sum(1) == pytest.approx(np.ones(160))
    assert labels.tolist() == [model.labels[k] for k in shares.argmax(1)]


def test_order_and_batches_do_not_matter(model, table, monkeypatch):
    expected = model.predict_proba(table)
    order = np.random.default_rng(0).permutation(len(table))
    monkeypatch.setattr(_tables, "CHUNK", 37)
    assert model.predict_proba(table.take(order)) == pytest.approx(expected[order], abs=1e-5)
    one = model.predict_proba(table.take([5]))
    assert one[0] == pytest.approx(expected[5], abs=1e-5)


@pytest.mark.parametrize("size", [1, 2, 6])
def test_any_columns_are_enough(model, table, size):
    for columns in itertools.islice(itertools.combinations(COLUMNS, size), 7):
        found = model.predictions(only(table, list(columns)))
        assert len(found) == 160
        assert np.isfinite(found.scores).all()
        told = {problem.column for problem in found.problems if "no such column" in problem.reason}
        assert told == set(COLUMNS) - set(columns)


def test_columns_in_another_order_and_more_of_them_do_not_matter(model, table):
    turned = only(table, list(reversed(table.columns)))
    assert (model.predict_proba(turned) == model.predict_proba(table)).all()


def test_none_of_the_columns_is_an_error(model):
    with pytest.raises(DataError, match="none of the model's columns"):
        model.predict({"other": [1, 2, 3]})


def test_a_row_with_nothing_gets_the_average_and_is_told(model, table, made):
    cells = {name: [None, *table.column(name).data.to_pylist()[1:5]] for name in COLUMNS}
    expected = model.predict_proba(table)[1:5]
    found = model.predictions(open_table(cells, folder=made.parent))
    shares = found.scores
    assert shares[0] == pytest.approx(model.fitted.prior)
    assert shares[1:] == pytest.approx(expected, abs=1e-5)
    assert [p.row for p in found.problems if p.column == ""] == [0]


def test_answers_come_as_a_table_with_what_was_wrong(model, table, made):
    cells = {name: table.column(name).data.to_pylist()[:3] for name in COLUMNS}
    cells["image"][1] = "image/gone.png"
    cells["category"][1] = "never seen"
    found = model.predictions(open_table(cells, folder=made.parent)).to_arrow().to_pydict()
    assert found["row"] == [0, 1, 2]
    assert found["problem"][0] is None
    assert "image: the file does not exist" in found["problem"][1]
    assert "category: the category was not seen in training" in found["problem"][1]
    assert set(found) == {"row", "prediction", "problem", *(f"probability_class_{k}" for k in range(3))}


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, dict])
def test_tables_in_memory_are_read_alike(kind, tabular):
    model = sensorium.fit(tabular, "label", epochs=1, progress=False)
    cells = open_table(tabular).arrow.to_pydict()
    assert (model.predict_proba(kind(cells)) == model.predict_proba(tabular)).all()


def test_the_default_is_the_test_rows_of_the_fit(model, made, run):
    found = model.evaluate(made)
    assert found.rows == "test rows"
    assert found.to_json() == model.card["metrics"]["test"]
    splits = {name: model.evaluate(made, name).n for name in ("train", "validation", "test", "all")}
    assert splits["train"] + splits["validation"] + splits["test"] == splits["all"] == 160
    assert model.evaluate(made, "val").n == splits["validation"]


@pytest.mark.parametrize("split", [None, "all"])
def test_evaluation_without_the_labels_says_which_column_to_add(model, split):
    bare = {"size": [1.0, 2.0]}
    with pytest.raises(SchemaError) as caught:
        model.evaluate(bare, split)
    assert f"no column {model.target!r}, which holds the labels" in caught.value.finding
    assert "predictions do not" in caught.value.rule
    assert caught.value.cure == f"add the column {model.target!r} with the labels"
    with pytest.raises(SchemaError) as caught:
        model.evaluate({**bare, model.target.upper(): ["a", "b"]}, split)
    assert caught.value.cure.startswith(f"rename {model.target.upper()!r}")


def test_other_rows_are_all_evaluated(model, table):
    found = model.evaluate(table.take(range(40)))
    assert (found.n, found.rows) == (40, "all rows")
    with pytest.raises(SchemaError, match="cannot tell which rows of this table are test rows"):
        model.evaluate(table.take(range(40)), "test")


def test_a_split_column_is_known_in_other_tables_too(tabular):
    cells = open_table(tabular).arrow.to_pydict()
    cells["split"] = ["train", "train", "val", "test"] * 30
    model = sensorium.fit(cells, "label", epochs=1, progress=False)
    part = {name: values[40:80] for name, values in cells.items()}
    assert model.evaluate(part).n == 10
    assert model.evaluate(part, "validation").n == 10


def cells_of_groups(rows=60):
    return {
        "x": [(k * 37) % 91 / 7 for k in range(rows)],
        "patient": [k % 10 for k in range(rows)],
        "part": ["train" if k % 10 < 8 else "test" for k in range(rows)],
        "y": ["a", "b"] * (rows // 2),
    }


def of_an_earlier_version(model, **data):
    """A model that recorded no digest of its split."""
    return Model(replace(model.fitted, data=model.fitted.data.updated(split_digest="", **data)))


def test_the_rows_of_a_fit_by_group_are_found_again():
    cells = cells_of_groups()
    settings = {"split": {"column": "part", "group": "patient"}}
    model = sensorium.fit(cells, "y", config=settings, epochs=1, progress=False)
    assert model.evaluate(cells).n == 12
    assert model.evaluate(cells, "validation").n == model.card["rows"]["validation"] == 6
    apart = {name: values[:20] for name, values in cells.items() if name != "patient"}
    assert model.evaluate(apart).n == 4


def test_the_rows_of_a_model_of_an_earlier_version_are_its_own_or_not_known():
    cells = cells_of_groups()
    plain = sensorium.fit(cells, "y", config={"split": {"group": "patient"}}, epochs=1, progress=False)
    assert of_an_earlier_version(plain).evaluate(cells).to_json() == plain.evaluate(cells).to_json()
    other = of_an_earlier_version(plain, split_rule="made: at random, seed 0")
    with pytest.raises(SchemaError, match="fitted by an earlier version"):
        other.evaluate(cells)
    assert other.evaluate(cells, "all").n == 60
    settings = {"split": {"column": "part", "group": "patient"}}
    named = sensorium.fit(cells, "y", config=settings, epochs=1, progress=False)
    old = of_an_earlier_version(
        named, split_rule="named by column 'part'; validation rows taken from the training rows"
    )
    assert old.evaluate(cells).to_json() == named.evaluate(cells).to_json()
    with pytest.raises(SchemaError, match="earlier version"):
        old.evaluate(cells, "validation")


def test_labels_that_are_missing_or_unseen_are_not_scored_and_told(model, table):
    cells = table.take(range(10))
    labels = cells.column("label").data.to_pylist()
    labels[0], labels[1] = None, "class_9"
    changed = cells.arrow.set_column(cells.columns.index("label"), "label", [labels])
    found = model.evaluate(replace(cells, arrow=changed))
    assert found.n == 8
    assert [(p.row, p.value) for p in found.problems if p.column == "label"] == [(1, "class_9")]


@pytest.mark.parametrize(("split", "match"), [("tset", "no split 'tset'"), ("test", "no column 'label'")])
def test_what_cannot_be_evaluated_is_refused(model, table, split, match):
    given = table if split == "tset" else only(table, ["text"])
    with pytest.raises(SchemaError, match=match):
        model.evaluate(given, split)


def test_no_label_at_all_is_refused(model, table):
    with pytest.raises(SchemaError, match="no row has a label"):
        model.evaluate({"text": ["a b c"] * 3, "label": ["new"] * 3})


def test_a_regression_has_no_probabilities():
    model = sensorium.fit(
        {"x": [i / 10 for i in range(60)], "y": [i * 0.5 for i in range(60)]}, "y", epochs=1, progress=False
    )
    with pytest.raises(SchemaError, match="no probabilities"):
        model.predict_proba({"x": [1.0]})
    assert model.labels == []


def test_it_says_what_it_is(model):
    assert "multiclass of 'label'" in repr(model)
    assert model.columns == {name: name for name in COLUMNS}
    assert [row["name"] for row in model.describe()] == COLUMNS
    assert all(row["learnt"] for row in model.describe())


def test_a_column_that_was_text_in_training_stays_text():
    """Alone, "1.0" would be read as a number, which is spelt otherwise."""
    kinds = ["1.0", "2.0", "n/a"] * 20
    model = sensorium.fit({"kind": kinds, "label": ["a", "b", "c"] * 20}, "label", epochs=1, progress=False)
    expected = model.predict_proba({"kind": ["1.0", "n/a"]})[0]
    found = model.predictions({"kind": ["1.0"]})
    assert (found.scores[0] == expected).all()
    assert not found.problems


WORDS = ["schön", "hässlich", "groß", "müde"]
REVIEWS = [f"{WORDS[i % 4]} {WORDS[i // 4 % 4]}" for i in range(60)]


def write_reviews(path, encoding="utf-8", separator=",", above="", names=("text", "x", "label")):
    rows = [separator.join((text, str(i), "ab"[i % 2])) for i, text in enumerate(REVIEWS)]
    path.write_bytes((above + "\n".join([separator.join(names), *rows]) + "\n").encode(encoding))
    return path


def whole(found):
    return [problem for problem in found.problems if problem.row is None]


@pytest.fixture(scope="module")
def old_settings(tmp_path_factory):
    """A model whose training table was in cp1252, separated by semicolons, below a title."""
    path = write_reviews(tmp_path_factory.mktemp("old") / "t.csv", "cp1252", ";", "Report\n")
    table = {"encoding": "cp1252", "separator": ";", "skip_rows": 1}
    return sensorium.fit(path, "label", epochs=1, progress=False, config={"table": table}), path


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"encoding": "utf-8", "separator": ";", "above": "Report\n"}, ["the file is UTF-8"]),
        ({"encoding": "utf-8-sig", "separator": ";", "above": "Report\n"}, ["the file is UTF-8"]),
        ({"encoding": "utf-16", "separator": ";", "above": "Report\n"}, ["byte order mark of utf-16"]),
        ({"encoding": "cp1252", "separator": ",", "above": "Report\n"}, ["table.separator=';'"]),
        ({"encoding": "cp1252", "separator": ";"}, ["table.skip_rows=1"]),
        ({"encoding": "utf-8", "separator": "\t"}, ["the file is UTF-8", "table.separator=';', table.skip_rows=1"]),
    ],
)
def test_saved_reading_settings_that_do_not_fit_are_replaced_and_told(form, said, old_settings, tmp_path):
    model, path = old_settings
    expected = model.predictions(path)
    assert whole(expected) == []
    new = write_reviews(tmp_path / "t.csv", **form)
    found = model.predictions(new)
    assert (found.scores == expected.scores).all()
    reasons = [problem.reason for problem in whole(found)]
    assert len(reasons) == len(said)
    assert all(words in reason for words, reason in zip(said, reasons, strict=True))
    assert [p.reason for p in model.evaluate(new).problems if p.row is None] == reasons


def test_a_file_of_another_encoding_under_the_saved_one_is_an_error(tmp_path):
    path = write_reviews(tmp_path / "t.csv")
    model = sensorium.fit(path, "label", epochs=1, progress=False)
    with pytest.raises(TableError, match="not utf-8") as caught:
        model.predict(write_reviews(tmp_path / "old.csv", "cp1252"))
    assert "save the file as utf-8" in caught.value.cure
    lines = [f'{{"text": "{text}", "x": {i}}}' for i, text in enumerate(REVIEWS)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines), "utf-8")
    assert (model.predict_proba(tmp_path / "t.jsonl") == model.predict_proba(path)).all()


@pytest.fixture(scope="module")
def people():
    random = np.random.default_rng(0)
    cells = {
        "age": random.normal(40, 9, 60).round(),
        "First Name": random.choice(["Ada", "Bob", "Cy"], 60),
        "größe": random.normal(1.7, 0.1, 60),
        "net_income": random.normal(40_000, 5000, 60).round(),
        "label": ["a", "b"] * 30,
    }
    frame = pd.DataFrame(cells)
    return sensorium.fit(frame, "label", epochs=1, progress=False), frame


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("age", "Age"),
        ("age", "age "),
        ("age", "AGE"),
        ("First Name", "first_name"),
        ("First Name", "FirstName"),
        ("First Name", "first-name"),
        ("größe", "grösse"),
        ("größe", "Groesse"),
        ("net_income", "net.income"),
        ("net_income", "netincome (EUR)"),
    ],
)
def test_a_column_that_is_called_otherwise_is_named(old, new, people):
    model, frame = people
    (problem,) = whole(model.predictions(frame.rename(columns={old: new})))
    assert (problem.column, problem.row) == (old, None)
    assert "no such column" in problem.reason
    assert f"did you mean {new!r}?" in problem.cure
    assert f"rename(columns={{{new!r}: {old!r}}})" in problem.cure


def test_a_missing_column_is_told_once_however_many_rows_there_are(people, monkeypatch):
    model, frame = people
    monkeypatch.setattr(_tables, "CHUNK", 7)
    found = model.predictions(frame.drop(columns="age"))
    assert [(problem.column, problem.cure) for problem in whole(found)] == [("age", "")]


def test_a_table_with_all_columns_called_otherwise_is_refused_with_their_names(people):
    model, frame = people
    with pytest.raises(DataError, match="none of the model's columns") as caught:
        model.predict(frame.rename(columns=str.upper))
    assert "'AGE' → 'age'" in caught.value.cure
    with pytest.raises(SchemaError, match="no column 'label'") as caught:
        model.evaluate(frame.rename(columns={"label": "Label"}))
    assert "rename 'Label'" in caught.value.cure


@pytest.mark.parametrize(("first", "second"), [("age", "net_income"), ("age", "größe"), ("First Name", "net_income")])
def test_columns_with_each_other_s_values_are_told(first, second, people):
    model, frame = people
    assert whole(model.predictions(frame)) == []
    (problem,) = whole(model.predictions(frame.rename(columns={first: second, second: first})))
    assert {first, second} <= {problem.column, problem.reason.split("'")[1]}
    assert whole(model.predictions(frame.assign(age=frame["age"] * 1000))) == [], "far values alone are no swap"
