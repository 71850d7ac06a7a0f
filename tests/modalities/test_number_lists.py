"""Lists of numbers in every notation are the same numbers; what only looks like one is left to others."""

import random
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sensorium
from sensorium.errors import SchemaError
from sensorium.modalities.series import Series
from sensorium.modalities.tags import Tags
from sensorium.modalities.vector import Vector
from sensorium.table import open_table

ROWS = np.random.default_rng(0).normal(size=(40, 16)).round(3)
WALKS = ROWS.cumsum(1).round(3)


def comma(number):
    return str(number).replace(".", ",")


NOTATIONS = {
    "JSON": lambda row: str(row.tolist()),
    "NumPy": lambda row: np.array2string(row, precision=3),
    "NumPy on several lines": lambda row: np.array2string(row, precision=3, max_line_width=30),
    "repr of an array": repr,
    "repr of float32": lambda row: repr(row.astype(np.float32)),
    "list of NumPy numbers": lambda row: str([f"np.float64({number})" for number in row]).replace("'", ""),
    "tensor": lambda row: f"tensor({row.tolist()}, device='cuda:0', grad_fn=<SelectBackward0>)",
    "Spark": lambda row: f"DenseVector({row.tolist()})",
    "pandas index": lambda row: f"Index({row.tolist()}, dtype='float64', name='x')",
    "tuple": lambda row: str(tuple(row.tolist())),
    "PostgreSQL": lambda row: "{" + ",".join(map(str, row)) + "}",
    "blanks": lambda row: " ".join(map(str, row)),
    "several blanks": lambda row: "  ".join(map(str, row)) + " ",
    "lines": lambda row: "\n".join(map(str, row)),
    "tabs": lambda row: "\t".join(map(str, row)),
    "semicolons": lambda row: ";".join(map(str, row)),
    "semicolons, one at the end": lambda row: "; ".join(map(str, row)) + ";",
    "pipes": lambda row: "|".join(map(str, row)),
    "commas": lambda row: ",".join(map(str, row)),
    "commas and blanks": lambda row: ", ".join(map(str, row)),
    "powers of ten": lambda row: ";".join(f"{number:.6e}" for number in row),
    "powers of ten as NumPy": lambda row: "[" + " ".join(f"{number:.6E}" for number in row) + "]",
    "decimal commas and semicolons": lambda row: ";".join(map(comma, row)),
    "decimal commas and blanks": lambda row: " ".join(map(comma, row)),
    "decimal commas, commas and blanks": lambda row: ", ".join(map(comma, row)),
    "points without digits": lambda row: np.array2string(np.round(row) + 0.0),
}


def column(cells, name="c"):
    return open_table({name: cells, "row": list(range(len(cells)))}).column(name)


def plan(cells, name="c"):
    return sensorium.inspect({name: cells, "other": [i * 0.37 for i in range(len(cells))]}).columns[0]


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize(("rows", "modality", "kind"), [(ROWS, "vector", Vector), (WALKS, "series", Series)])
def test_numbers_are_the_same_in_every_notation(notation, rows, modality, kind):
    rows = np.round(rows) + 0.0 if notation == "points without digits" else rows
    cells = [NOTATIONS[notation](row) for row in rows]
    assert plan(cells).modality == modality
    expected = kind.learn(column(rows.tolist())).encode(column(rows.tolist()))
    learnt = kind.learn(column(cells))
    found = learnt.encode(column(cells))
    assert not found.problems and found.present.all()
    values, truth = (np.concatenate([np.ravel(e.values[row]) for row in range(40)]) for e in (found, expected))
    assert np.allclose(values, truth, atol=1e-4)
    again = kind.restore(*learnt.state())
    alone = again.encode(column(cells).take(np.array([3])))
    assert np.array_equal(alone.values[0], found.values[3])


def test_one_row_of_an_array_of_rows_is_a_vector():
    for cells in ([[row] for row in WALKS.tolist()], [str([row]) for row in WALKS.tolist()]):
        assert plan(cells).modality == "vector"
        found = Vector.learn(column(cells)).encode(column(cells))
        assert np.allclose(found.values, Vector.learn(column(WALKS.tolist())).encode(column(WALKS.tolist())).values)


def test_grey_values_between_blanks_are_numbers():
    pixels = np.random.default_rng(0).integers(0, 256, (30, 48))
    found = plan([" ".join(map(str, row)) for row in pixels])
    assert found.modality == "vector" and "numbers with blanks between them, 48 each" in found.reason


@pytest.mark.parametrize("gap", ["nan", "None", "NULL", ""])
def test_gaps_in_spelt_lists_are_gaps(gap):
    cells = [";".join(["1.5", gap, "2.5", "4.5"][: 3 + k % 2]) for k in range(20)]
    learnt = Series.learn(column(cells))
    assert plan(cells).modality == "series"
    assert learnt.encode(column(cells)).values[0][:, 1].tolist() == [1, 0, 1]


def test_shortened_arrays_are_told_and_never_a_series():
    cells = [np.array2string(np.arange(2000) * 0.5 + k) for k in range(20)]
    found = plan(cells)
    assert found.modality == "vector"
    assert "numbers are lost" in found.caution
    assert "whose middle was cut" in Series.learn(column(WALKS.tolist())).encode(column(cells)).problems[0].reason
    assert "lost" in plan([f"[0.{k}1, 0.22, 0.33, 0.4..." for k in range(20)]).caution


def digits(source, count):
    return "".join(source.choice("0123456789") for _ in range(count))


def others():
    source = random.Random(1)

    def many(make):
        return [make() for _ in range(60)]

    return {
        "phone numbers": many(lambda: f"{source.randint(200, 999)} {source.randint(200, 999)} {digits(source, 4)}"),
        "international": many(lambda: f"+33 6 {' '.join(digits(source, 2) for _ in range(4))}"),
        "with zeros": many(lambda: f"0{source.randint(1, 9)} {' '.join(digits(source, 2) for _ in range(4))}"),
        "card numbers": many(lambda: " ".join(str(source.randint(1000, 9999)) for _ in range(4))),
        "blank thousands": many(lambda: f"{source.randint(1, 9)} {digits(source, 3)} {digits(source, 3)}"),
        "comma thousands": many(lambda: f"{source.randint(1, 9)},{digits(source, 3)},{digits(source, 3)}"),
        "losses": many(lambda: f"({source.randint(1, 9)},{digits(source, 3)}.{digits(source, 2)})"),
        "decimal commas": many(lambda: f"{source.randint(1, 99)},{digits(source, 2)}"),
        "ranges": many(lambda: f"{source.randint(1, 9)}.5 - {source.randint(10, 19)}.5"),
        "dates": many(lambda: f"2026 {source.randint(1, 12):02d} {source.randint(1, 28):02d}"),
        "codes": many(lambda: "|".join(map(str, source.sample(range(20), source.randint(1, 4))))),
        "places": many(lambda: f"{source.uniform(-80, 80):.4f}, {source.uniform(-170, 170):.4f}"),
        "sentences": many(lambda: f"I like {source.randint(1, 9)} apples, 4 pears; and {source.randint(10, 99)} more"),
        "objects": many(lambda: f'[{{"a": {source.randint(1, 9)}}}, {{"b": 2}}]'),
        "addresses": many(lambda: f"10.0.{source.randint(1, 255)}.{source.randint(1, 255)}"),
        "scores": many(lambda: f"6-4 6-{source.randint(0, 4)} 7-5"),
    }


@pytest.mark.parametrize(("name", "cells"), others().items(), ids=others())
def test_what_only_looks_like_numbers_is_left_to_others(name, cells):
    with suppress(SchemaError):  # no column left
        assert plan(cells).modality not in ("vector", "series")


def test_json_of_objects_is_text_and_says_so():
    found = plan(others()["objects"])
    assert found.modality in ("text", "category") and "JSON objects" in found.caution


@pytest.mark.parametrize("spell", [list, str], ids=["lists", "text"])
def test_one_rule_tells_series_from_vectors_and_says_by_what(spell):
    walks, noise = [spell(row) for row in WALKS.tolist()], [spell(row) for row in ROWS.tolist()]
    assert "neighbouring numbers of a list are correlated" in plan(walks).reason
    assert plan(noise).modality == "vector" and "of a list are not correlated" in plan(noise).reason
    assert plan(walks, "embedding").modality == "vector" and "name suggests a vector" in plan(walks, "embedding").reason
    assert plan(noise, "prices").modality == "series" and "name suggests a series" in plan(noise, "prices").reason
    odd = [spell(row if k else row[:3]) for k, row in enumerate(ROWS.tolist())]
    assert plan(odd).modality == "vector", "one row of another length says nothing of the others"
    uneven = [spell(row[: 5 + k % 7]) for k, row in enumerate(ROWS.tolist())]
    assert plan(uneven).modality == "series" and "the lengths differ" in plan(uneven).reason


def test_parts_that_differ_in_every_row_alike_are_no_series():
    random = np.random.default_rng(0)
    measured = random.normal([1, 2, 100, 105], 0.5, (60, 4)).round(2)
    assert plan(measured.tolist()).modality == "vector"


@pytest.mark.parametrize("spell", [list, str], ids=["lists", "text"])
def test_lists_as_long_as_a_series_in_every_row_are_series(spell):
    table = {"close": [spell(row) for row in ROWS.tolist()], "volume": [spell(row) for row in WALKS.tolist()]}
    table["embedding"] = [spell(row) for row in ROWS.tolist()]
    table["other"] = [spell(row[:8]) for row in ROWS.tolist()]
    found = {plan.name: plan for plan in sensorium.inspect(table).columns}
    kinds = {name: plan.modality for name, plan in found.items()}
    assert kinds == {"close": "series", "volume": "series", "embedding": "vector", "other": "vector"}
    assert "as many numbers as 'volume'" in found["close"].reason


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(alphabet="[](){}1234567890.,;|-+e \tnaN'\"", max_size=30), st.sampled_from(["", ";", ",", " ", "|"]))
def test_any_text_is_read_or_told(text, separator):
    learnt = Series(1, 10, "column", [], np.zeros(1), np.ones(1), separator=separator)
    found = learnt.encode(column([text or "x", "1;2"]))
    assert np.isfinite(found.values.values).all()
    assert found.present[0] or any(problem.row == 0 for problem in found.problems)


def test_a_separator_can_be_set():
    cells = ["1~2~3", "4~5~6"] * 5
    assert Vector.learn(column(cells), separator="~").encode(column(cells)).present.all()


@pytest.mark.parametrize(
    "text", ["[1" + " " * 100_000 + "x", "[" + "1 " * 50_000 + "x]", "(" * 50_000, "{" + "a," * 50_000]
)
def test_hostile_text_takes_no_time(text):
    start = time.process_time()
    column_ = column([text, "1;2"])
    for kind in (Vector, Series):
        kind.looks_like(column_)
        kind.learn(column(ROWS.tolist())).encode(column_)
    Tags.looks_like(column_)
    assert time.process_time() - start < 5
