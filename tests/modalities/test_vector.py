"""Vectors: dimensions that mean something together; what is not whole is missing with a reason."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.modalities.vector import Vector
from sensorium.table import open_table

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(40, 8))


def column(cells, name="c"):
    return open_table({name: cells, "row": list(range(len(cells)))}).column(name)


@pytest.mark.parametrize(
    "cells",
    [
        ROWS.tolist(),
        pa.array(ROWS.tolist(), pa.list_(pa.float32(), 8)),
        pa.array(ROWS.tolist(), pa.large_list(pa.float64())),
        (ROWS * 100).astype(int).tolist(),
        [json.dumps(row) for row in ROWS.tolist()],
    ],
    ids=["lists", "fixed size", "large lists", "integers", "text"],
)
def test_dimensions_are_standardised_by_the_training_rows(cells):
    found = Vector.learn(column(cells)).encode(column(cells))
    assert found.values.shape == (40, 8) and found.values.dtype == np.float32
    assert np.allclose(found.values.mean(0), 0, atol=1e-5)
    assert np.allclose(found.values.std(0), 1, atol=1e-5)
    assert found.present.all() and not found.problems


def test_what_is_not_whole_is_missing_with_a_reason():
    learnt = Vector.learn(column(ROWS.tolist()))
    cells = [[1.0] * 8, None, [1.0] * 7, [1.0] * 7 + [None], [1.0] * 7 + [float("inf")], []]
    found = learnt.encode(column(cells))
    assert found.present.tolist() == [True, False, False, False, False, False]
    assert not found.values[1:].any()
    assert [problem.row for problem in found.problems] == [2, 3, 4, 5]
    assert "7 numbers instead of 8" in found.problems[0].reason


def test_text_that_spells_no_vector_is_missing_with_a_reason():
    learnt = Vector.learn(column([json.dumps(row) for row in ROWS.tolist()]))
    found = learnt.encode(
        column(["[1,1,1,1,1,1,1,1]", "[1,", "none", '{"a": 1}', "[" * 100_000, "[1e999,1,1,1,1,1,1,1]"])
    )
    assert found.present.tolist() == [True, False, False, False, False, False]
    assert [problem.row for problem in found.problems] == [1, 2, 3, 4, 5]


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1))
def test_any_finite_vector_is_finite(cells):
    found = Vector.learn(column(cells)).encode(column(cells))
    assert found.present.all()
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(
    ("name", "cells", "modality", "sure"),
    [
        ("embedding", ROWS.tolist(), "vector", True),
        ("c", ROWS.tolist(), "vector", False),
        ("prices", ROWS.tolist(), "series", True),
        ("c", ROWS.cumsum(1).tolist(), "series", True),
        ("c", [json.dumps(row) for row in ROWS.tolist()], "vector", False),
        ("embedding", [json.dumps(row) for row in ROWS.tolist()], "vector", True),
        ("prices", [json.dumps(row) for row in ROWS.tolist()], "series", True),
        ("c", [json.dumps(row) for row in ROWS.cumsum(1).tolist()], "series", True),
        ("c", [row[: 4 + k % 4].tolist() for k, row in enumerate(ROWS)], "series", True),
    ],
)
def test_vectors_are_told_from_series(name, cells, modality, sure):
    found = sensorium.inspect({name: cells, "label": ["a", "b"] * 20}, "label").columns[0]
    assert found.modality == modality
    assert ("if it is not a vector" in found.caution) == (not sure)


@pytest.mark.slow
def test_vectors_are_learnt_saved_and_answered_alike(tmp_path):
    vectors = np.random.default_rng(1).normal(size=(200, 8))
    label = np.where(vectors[:, 0] * vectors[:, 1] > 0, "same", "other").tolist()
    cells = vectors.tolist()
    cells[3] = None
    table = {"embedding": cells, "label": label}
    model = sensorium.fit(table, "label", epochs=30, progress=False, out=tmp_path)
    assert (model.predict(table) == np.array(label)).mean() > 0.85
    assert np.array_equal(sensorium.load(tmp_path).predict_proba(table), model.predict_proba(table))
