"""An answer to a row does not depend on the other rows of the call, however its cells are spelt."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

import sensorium
from sensorium.sklearn import MultimodalClassifier

ROWS = 80
SETTINGS = {
    "table": {"lists": {"place": ["lat", "lon"]}, "series": {"load": ["s1", "s2"]}},
    "modalities": {"code": "category", "version": "category", "place": "geo", "tags": "tags", "vector": "vector"},
}
ODD = {  # column → cells that training did not see so, as text or missing
    "number": ["n/a", "1.5", None, "1,234.5", "-2"],
    "whole": ["12.5", "3", "abc", "007", None],
    "money": ["1200", "$1,200", None, "$99", "12%"],
    "comma": ["0,250", "3", "250", None, "1.250,5"],
    "version": ["1.1", "2", "2.00", "beta", None, "1.10"],
    "code": ["7", "007", "10000000000", "12.0", None],
    "word": ["red", " red ", "5", None, "RED"],
    "flag": ["True", "1", "0", None, "false", "1.0"],
    "yes": ["yes", "YES", "true", None],
    "day": ["2024-05-01T10:00", "2024-05-01", "20240501", None],
    "dmy": ["01/02/2024", "13/02/2024", None],
    "note": ["12", "3.5", None, "alpha beta"],
    "lat": ["n/a", "5", "12.5", None],
    "s1": ["x", "1.5", None, "4"],
}


def cells():
    random = np.random.default_rng(0)
    numbers = {name: random.normal(size=ROWS).round(3).tolist() for name in ("number", "s1", "s2")}
    spelt = {
        "version": ["1.10", "1.1", "1.20", "2.0"],
        "code": ["007", "7", "12", "1E10"],
        "word": ["red", "blue", "green"],
        "yes": ["yes", "no"],
        "flag": [True, False],
        "tags": [["a"], ["a", "b"], ["c"]],
    }
    return {
        **numbers,
        **{name: [values[row % len(values)] for row in range(ROWS)] for name, values in spelt.items()},
        "whole": random.integers(0, 1000, ROWS).tolist(),
        "money": [f"${value:,}" for value in random.integers(100, 90_000, ROWS)],
        "comma": [f"{value:.2f}".replace(".", ",") for value in random.normal(size=ROWS)],
        "day": [f"2024-{1 + row % 12:02d}-{1 + row % 27:02d}" for row in range(ROWS)],
        "dmy": [f"{1 + row % 27:02d}/{1 + row % 12:02d}/2024" for row in range(ROWS)],
        "note": [" ".join(random.choice(["alpha", "beta", "gamma", "12", "3.5"], 5)) for _ in range(ROWS)],
        "vector": random.normal(size=(ROWS, 3)).round(3).tolist(),
        "lat": random.uniform(-60, 60, ROWS).round(3).tolist(),
        "lon": random.uniform(-170, 170, ROWS).round(3).tolist(),
        "label": random.choice(["x", "y"], ROWS).tolist(),
    }


def to_csv(rows, path):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(rows[0])
        writer.writerows(
            ["" if cell is None else json.dumps(cell) if isinstance(cell, list) else cell for cell in row.values()]
            for row in rows
        )
    return path


def in_columns(rows):
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of a table of text, one of a table in memory; rows that each have one odd cell, others as text too."""
    made, folder = cells(), tmp_path_factory.mktemp("rows")
    rows = [dict(zip(made, row, strict=True)) for row in zip(*made.values(), strict=True)]
    options = {"config": SETTINGS, "epochs": 2, "progress": False, "train": {"modality_dropout": 0}}
    models = {
        "text": sensorium.fit(to_csv(rows, folder / "t.csv"), "label", **options),
        "memory": sensorium.fit(made, "label", **options),
    }
    odd = []
    for name, spellings in ODD.items():
        for place, cell in enumerate(spellings):
            row = {key: value for key, value in rows[place].items() if key != "label"}
            row |= {key: str(value) for key, value in row.items() if key in ODD}
            odd.append(row | {name: cell})
    return models, odd


def check(answer, rows, make):
    alone = np.concatenate([answer(make([row])) for row in rows])
    among = answer(make(rows))
    np.testing.assert_allclose(among, alone, atol=1e-5)
    np.testing.assert_allclose(answer(make(rows[::-1])), alone[::-1], atol=1e-5)


def cells_with_problems(predictions):
    return {(p.row, p.column, p.reason, p.value) for p in predictions.problems.of_cells()}


EVERYDAY = [("csv", "text"), ("columns", "memory")]
OTHERS = [("csv", "memory"), ("frame", "text"), ("frame", "memory")]
OTHERS += [("rows", "text"), ("rows", "memory"), ("columns", "text")]


@pytest.mark.parametrize(
    ("way", "learnt"), [*EVERYDAY, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in OTHERS)]
)
def test_answers_and_problems_are_the_same_alone_and_among_others(trained, learnt, way, tmp_path):
    models, rows = trained
    ways = {
        "csv": lambda some: to_csv(some, tmp_path / "p.csv"),
        "rows": list,
        "columns": in_columns,
        "frame": lambda some: pd.DataFrame(in_columns(some)),
    }
    found = []

    def answer(table):
        found.append(models[learnt].predictions(table))
        return found[-1].scores

    check(answer, rows, ways[way])
    *alone, among, reverse = map(cells_with_problems, found)
    assert among == {(row, *rest) for row, problems in enumerate(alone) for _, *rest in problems}
    assert len(among) == len(reverse) > 0


@pytest.mark.slow
def test_so_does_the_estimator():
    made = cells()
    labels = np.array(made.pop("label"))
    kept = {name: made[name] for name in ("number", "money", "comma", "version", "code", "word", "day", "note")}
    modalities = {"code": "category", "version": "category"}
    model = MultimodalClassifier(epochs=2, modalities=modalities).fit(pd.DataFrame(kept), labels)
    rows = [dict(zip(kept, map(str, row), strict=True)) for row in zip(*kept.values(), strict=True)][:6]
    rows += [rows[0] | {name: cell} for name in kept if name in ODD for cell in ODD[name]]
    check(model.predict_proba, rows, lambda some: pd.DataFrame(in_columns(some)))
