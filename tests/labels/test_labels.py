"""How the cells of a target become labels: what says that there is none, what is one label, what lists hold."""

import numpy as np
import pytest

import sensorium
from sensorium.errors import SchemaError

pytestmark = pytest.mark.unit

ROWS = 60


def target(cells, **table):
    """What an inspection says of a target of these cells, again and again."""
    rows = [cells[row % len(cells)] for row in range(ROWS)]
    return sensorium.inspect(
        {"x": [row * 7 % 13 for row in range(ROWS)], "y": rows}, "y", config={"table": table}
    ).target


def by_csv(cells, tmp_path, separator=",", **table):
    rows = [f'{row * 7 % 13}{separator}"{cells[row % len(cells)]}"' for row in range(ROWS)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([f"x{separator}y", *rows]))
    return sensorium.inspect(path, "y", config={"table": table}).target


def labels(found):
    return sorted(row["label"] for row in found["labels"])


@pytest.mark.parametrize(
    ("cells", "task", "names"),
    [
        (["1.1", "1.10", "1.2", "1.20"], "multiclass", ["1.1", "1.10", "1.2", "1.20"]),
        (["1E10", "10E9"], "binary", ["10E9", "1E10"]),
        (["1E10", "10E9", "1e10"], "multiclass", ["10E9", "1E10", "1e10"]),
        (["1", "1.0", "0"], "multiclass", ["0", "1", "1.0"]),
        (["01", "02"], "binary", ["01", "02"]),
        (["0", "1"], "binary", ["0", "1"]),
        (["+1", "-1"], "binary", ["+1", "-1"]),
        (["0.50", "1.50"], "binary", ["0.50", "1.50"]),
        ([" <=50K", " >50K"], "binary", [" <=50K", " >50K"]),
        (["+", "-"], "binary", ["+", "-"]),
    ],
)
def test_labels_are_as_they_are_spelt(cells, task, names, tmp_path):
    found = by_csv(cells, tmp_path)
    assert (found["task"], labels(found)) == (task, names)


@pytest.mark.parametrize(("cells", "told"), [(["1.1", "1.10", "2"], True), (["1.1", "1.2", "2"], False)])
def test_labels_of_one_value_that_stay_apart_are_told(cells, told, tmp_path):
    assert ("labels with the same value" in by_csv(cells, tmp_path, missing=[""])["caution"]) == told


@pytest.mark.parametrize(
    ("cells", "task", "names", "missing"),
    [
        (["0", "1", "NA"], "binary", ["0", "1"], "NA"),
        (["0", "1", "-"], "binary", ["0", "1"], "-"),
        (["0", "1", "none"], "binary", ["0", "1"], "none"),
        (["1", "2", "3", "n.b."], "multiclass", ["1", "2", "3"], "n.b."),
        (["yes", "no", "NA"], "binary", ["no", "yes"], "NA"),
        (["yes", "no", "nan"], "binary", ["no", "yes"], "nan"),
        (["yes", "no", "N/A"], "binary", ["no", "yes"], "N/A"),
        (["yes", "no", "?"], "binary", ["no", "yes"], "?"),
        (["cat", "dog", "NULL"], "binary", ["cat", "dog"], "NULL"),
        (["cat", "dog", "<NA>"], "binary", ["cat", "dog"], "<NA>"),
        (["$1,000", "$2,000", "NA"], "binary", ["$1,000", "$2,000"], "NA"),
    ],
)
def test_words_that_stand_for_no_label_are_missing_and_told(cells, task, names, missing, tmp_path):
    found = by_csv(cells, tmp_path)
    assert (found["task"], labels(found), found["missing"]) == (task, names, ROWS // len(cells))
    assert f"{ROWS // len(cells)} of {ROWS} labels ({missing!r})" in found["caution"]
    assert "table.missing" in found["caution"]


@pytest.mark.parametrize("cells", [["DE", "US", "NA"], ["none", "mild", "severe"], ["A", "B", "?"], ["a", "b", "None"]])
def test_a_class_that_reads_like_such_a_word_stays_and_is_told(cells, tmp_path):
    found = by_csv(cells, tmp_path)
    assert labels(found) == sorted(cells) and not found["missing"]
    assert "may stand for a missing label" in found["caution"]


@pytest.mark.parametrize("cells", [["cat", "dog", "unknown"], ["+", "-"], ["a", "b", "x"], ["yes", "no", "maybe"]])
def test_nothing_is_told_of_ordinary_labels(cells, tmp_path):
    assert by_csv(cells, tmp_path)["caution"] == ""


@pytest.mark.parametrize(
    ("words", "names"), [([], ["0", "1", "NA"]), (["NA"], ["0", "1"]), (["", "nothing"], ["0", "1", "NA"])]
)
def test_the_setting_decides(words, names, tmp_path):
    assert labels(by_csv(["0", "1", "NA"], tmp_path, missing=words)) == names


def test_a_number_can_stand_for_a_missing_label():
    found = target([0.0, 1.0, -999.0], missing=["-999"])
    assert found["task"] == "binary" and found["missing"] == ROWS // 3


@pytest.mark.parametrize("cells", [["1.25", "2.5", "-0.75", "NA"], ["1.25", "2.5", "0.5", "n.b.", "3.5"]])
def test_amounts_stay_amounts_beside_words(cells, tmp_path):
    numbers = [f"{value:.3f}" for value in np.random.default_rng(0).normal(size=40)]
    found = by_csv([*numbers, *cells], tmp_path)
    assert found["task"] == "regression" and found["missing"] == 1


@pytest.mark.parametrize(
    ("write", "separator"),
    [
        (lambda value: f"${value:,.0f}", ","),
        (lambda value: f"{value:,.2f}", ","),
        (lambda value: f"{value:.0f}%", ","),
        (lambda value: f"{value:.3f}".replace(".", ","), ";"),
        (lambda value: f"({value:.2f})", ","),
        (lambda value: f"{value:,.1f}".replace(",", " "), ","),
    ],
)
def test_amounts_are_read_in_the_notation_of_features(write, separator, tmp_path):
    values = np.random.default_rng(1).uniform(1000, 90_000, 60)
    found = by_csv([write(value) for value in values], tmp_path, separator)
    assert found["task"] == "regression", found["reason"]


def test_few_amounts_are_classes_with_a_caution(tmp_path):
    found = by_csv(["$1,000", "$2,000", "$3,000"], tmp_path)
    assert found["task"] == "multiclass" and "--task regression" in found["caution"]


def test_blanks_do_not_make_labels_and_case_is_told(tmp_path):
    found = by_csv(["no", "NO", "no ", "yes"], tmp_path)
    assert labels(found) == ["NO", "no", "yes"]
    assert "'no ' differ from others only by blanks" in found["caution"]
    assert "'no' (30 rows), 'NO' (15 rows)" in found["caution"] and "table.labels=fold_case" in found["caution"]


def test_accents_composed_in_two_ways_and_invisible_signs_do_not_make_labels(tmp_path):
    found = by_csv(["grün", "gru\u0308n", "rot", "rot\u200b"], tmp_path)
    assert labels(found) == ["grün", "rot"]
    assert "invisible characters" in found["caution"]


def test_case_is_folded_where_that_is_set(tmp_path):
    found = by_csv(["no", "NO", "no ", "yes"], tmp_path, labels="fold_case")
    assert labels(found) == ["no", "yes"] and "case" not in found["caution"]


@pytest.mark.parametrize("form", [list, np.array, lambda v: [float(x) for x in v], lambda v: [bool(x) for x in v], str])
def test_one_hot_vectors_are_classes_by_place(form):
    found = target([form([int(place == k) for k in range(3)]) for place in range(3)])
    assert (found["task"], labels(found), found["caution"]) == ("multiclass", ["0", "1", "2"], "")
    assert "one 1 in each" in found["reason"]


@pytest.mark.parametrize("text", ["[1, 0]|[0, 1]", "(1, 0)|(0, 1)", "[1 0]|[0 1]", "[1. 0.]|[0. 1.]"])
def test_one_hot_vectors_may_be_text(text):
    found = target(text.split("|"))
    assert (found["task"], labels(found)) == ("binary", ["0", "1"])


def test_many_places_are_classes_too():
    found = target([[int(place == k) for k in range(30)] for place in range(30)])
    assert found["task"] == "multiclass" and len(found["labels"]) == 30


def test_vectors_with_several_ones_are_several_labels():
    found = target([[1, 0, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0]])
    assert (found["task"], labels(found)) == ("multilabel", ["0", "1", "2"])


def test_places_have_the_names_of_the_columns_that_made_them():
    rows = {"x": [row * 7 % 13 for row in range(ROWS)], "cat": [1, 0] * 30, "dog": [0, 1] * 30}
    found = sensorium.inspect(rows, "kind", config={"table": {"lists": {"kind": ["cat", "dog"]}}}).target
    assert (found["task"], labels(found)) == ("binary", ["cat", "dog"])


@pytest.mark.parametrize(("cells", "task"), [([[0], [1]], "binary"), ([[0.5], [1.5], [2.25]], "regression")])
def test_a_list_of_one_number_is_the_number(cells, task):
    assert target(cells)["task"] == task


@pytest.mark.parametrize("cells", [["['a' 'b']", "['a']", "['b' 'c']"], ["{a,b}", "{a}", "{b,c}"]])
def test_lists_as_numpy_and_postgresql_write_them_are_labels(cells):
    found = sensorium.inspect({"x": [row * 7 % 13 for row in range(60)], "y": cells * 20}, "y").target
    assert found["task"] == "multilabel" and labels(found) == ["a", "b", "c"]


def test_lists_of_decimals_are_no_labels():
    with pytest.raises(SchemaError, match="decimal numbers") as caught:
        target([[0.3, 0.7], [0.6, 0.4]])
    assert "--target" in caught.value.cure


def test_several_targets_are_read_each_by_itself(tmp_path):
    rows = [f"{row * 7 % 13},{['1.1', '1.10', 'NA'][row % 3]},{['0', '1', 'NA'][row % 3]}" for row in range(ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(["x,version,ill", *rows]))
    config = {"target": ["version", "ill"]}
    found = sensorium.inspect(tmp_path / "t.csv", config=config).target
    assert labels(found) == ["ill=0", "ill=1", "version=1.1", "version=1.10"]
    assert found["caution"].count("read as missing") == 2
