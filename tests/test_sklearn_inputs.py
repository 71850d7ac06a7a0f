"""The estimators take the forms of X and y that scikit-learn's users hold: sparse, nullable, categorical, text."""

import decimal
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from sensorium.errors import DataError, OutOfMemoryError, TableError
from sensorium.sklearn import MultimodalClassifier, MultimodalRegressor
from sensorium.sklearn import _inputs as inputs

N = 48
RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.normal(size=N)
TEXTS = [f"a {'red' if number > 0 else 'blue'} thing number {row}" for row, number in enumerate(NUMBERS)]
LABELS = np.where(NUMBERS > 0, "yes", "no")


def classifier(**more):
    return MultimodalClassifier(**{"epochs": 1, **more})


def objects():
    cells = np.empty((N, 3), dtype=object)
    cells[:, 0], cells[:, 1], cells[:, 2] = NUMBERS, TEXTS, ["u", "v"] * (N // 2)
    cells[3, 0], cells[4, 0], cells[5, 1], cells[6, 2], cells[7, 0] = None, np.nan, None, np.nan, pd.NA
    return cells


FRAME = pd.DataFrame(
    {
        "x": NUMBERS,
        "grade": pd.Categorical(["low", "high", None, "mid"] * (N // 4), ["low", "mid", "high", "top"], ordered=True),
        "count": pd.Series([1, None, 3, 9] * (N // 4), dtype="Int64"),
        "flag": pd.Series([True, None, False, True] * (N // 4), dtype="boolean"),
        "note": pd.Series(TEXTS, dtype="string"),
    }
)
KINDS = {"x": "number", "grade": "category", "count": "number", "flag": "boolean", "note": "text"}
X = {
    "an array of objects": (objects(), ["number", "text", "category"], None),
    "rows of mixed cells": ([[float(x), t] for x, t in zip(NUMBERS, TEXTS, strict=True)], ["number", "text"], None),
    "rows with lists": ([(t, [x, x]) for x, t in zip(NUMBERS, TEXTS, strict=True)], ["text", "vector"], None),
    "a list of texts": (TEXTS, ["text"], None),
    "an array of texts": (np.array(TEXTS), ["text"], None),
    "texts and gaps": (np.array([*TEXTS[1:], None], dtype=object), ["text"], None),
    "a Series": (pd.Series(TEXTS, name="note"), ["text"], ["note"]),
    "a Series without a name": (pd.Series(TEXTS), ["text"], ["x0"]),
    "a polars Series": (pl.Series("note", TEXTS), ["text"], ["note"]),
    "a frame": (FRAME, list(KINDS.values()), list(KINDS)),
    "a frame of Arrow": (FRAME.convert_dtypes(dtype_backend="pyarrow"), list(KINDS.values()), list(KINDS)),
    "a polars frame": (pl.from_pandas(FRAME), list(KINDS.values()), list(KINDS)),
    "an Arrow table": (pa.Table.from_pandas(FRAME), list(KINDS.values()), list(KINDS)),
    "a record batch": (pa.RecordBatch.from_pandas(FRAME), list(KINDS.values()), list(KINDS)),
    "a sparse frame": (pd.DataFrame({"x": pd.arrays.SparseArray(NUMBERS)}), ["number"], ["x"]),
    "a dict of columns": ({"x": NUMBERS, "note": TEXTS}, ["number", "text"], ["x", "note"]),
    "rows as dicts": ([{"note": t} for t in TEXTS], ["text"], ["note"]),
}


@pytest.mark.parametrize("name", X)
def test_forms_of_x(name):
    given, kinds, names = X[name]
    model = classifier().fit(given, LABELS)
    columns = names or [f"x{place}" for place in range(len(kinds))]
    found = model.model_.columns
    assert {column: found.get(column) for column in columns} == dict(zip(columns, kinds, strict=True))
    assert model.n_features_in_ == len(kinds)
    assert (list(model.feature_names_in_) if names else not hasattr(model, "feature_names_in_")) == (names or True)
    shares = model.predict_proba(given)
    assert shares.shape == (N, 2) and np.allclose(shares.sum(1), 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok"])
@pytest.mark.parametrize("make", [sparse.random, sparse.random_array])
def test_a_sparse_matrix_gives_the_model_of_the_dense_one(kind, make):
    shape = (N, 5) if make is sparse.random else ((N, 5),)
    given = make(*shape, density=0.4, rng=np.random.default_rng(1)).asformat(kind)
    dense, found = (classifier().fit(each, LABELS).predict_proba(each) for each in (given.toarray(), given))
    np.testing.assert_array_equal(found, dense)


def test_a_sparse_matrix_beyond_the_memory_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(inputs, "usable_memory", lambda: 10**9)
    given = sparse.csr_matrix((1_000_000, 500))
    with pytest.raises(
        OutOfMemoryError, match=r"1,000,000 rows and 500 columns needs 12\.02 GB, more than the 1\.00 GB"
    ):
        classifier().fit(given, np.array(["a", "b"] * 500_000))


def test_text_vectorizers_in_a_pipeline():
    pipeline = make_pipeline(TfidfVectorizer(max_features=6), classifier(epochs=4))
    scores = cross_val_score(pipeline, TEXTS, LABELS, cv=2)
    assert len(scores) == 2


def test_groups_searches_and_clones_of_text():
    groups = np.arange(N) // 4
    scores = cross_val_score(classifier(), pd.Series(TEXTS, name="note"), LABELS, groups=groups, cv=GroupKFold(2))
    assert len(scores) == 2
    search = GridSearchCV(classifier(), {"epochs": [1, 2]}, cv=2).fit(TEXTS, LABELS)
    assert clone(search.best_estimator_).get_params()["epochs"] == search.best_params_["epochs"]


Y = {
    "categories": (lambda: pd.Series(pd.Categorical(LABELS, ["yes", "no"], ordered=True)), ["no", "yes"]),
    "a categorical": (lambda: pd.Categorical(LABELS), ["no", "yes"]),
    "polars categories": (lambda: pl.Series(LABELS, dtype=pl.Categorical), ["no", "yes"]),
    "Arrow": (lambda: pa.chunked_array([LABELS.tolist()]), ["no", "yes"]),
    "text": (lambda: pd.Series(LABELS, dtype="string"), ["no", "yes"]),
    "objects": (lambda: LABELS.astype(object), ["no", "yes"]),
    "a list": (lambda: LABELS.tolist(), ["no", "yes"]),
    "booleans": (lambda: NUMBERS > 0, [False, True]),
    "nullable booleans": (lambda: pd.Series(NUMBERS > 0, dtype="boolean"), [False, True]),
    "boolean objects": (lambda: (NUMBERS > 0).astype(object), [False, True]),
    "nullable integers": (lambda: pd.Series((NUMBERS > 0) + 3, dtype="Int64"), [3, 4]),
    "Arrow integers": (lambda: pd.Series((NUMBERS > 0) + 3, dtype=pd.ArrowDtype(pa.int8())), [3, 4]),
}


@pytest.mark.parametrize("name", Y)
def test_forms_of_labels(name):
    make, classes = Y[name]
    model = classifier().fit(FRAME[["x"]], make())
    assert model.classes_.tolist() == classes
    assert [type(label) for label in model.classes_.tolist()] == [type(label) for label in classes]
    found = model.predict(FRAME[["x"]])
    assert found.dtype == model.classes_.dtype and set(found.tolist()) <= set(classes)


VALUES = {
    "nullable": lambda: pd.Series(NUMBERS, dtype="Float64"),
    "Arrow": lambda: pd.Series(NUMBERS, dtype=pd.ArrowDtype(pa.float64())),
    "objects": lambda: NUMBERS.astype(object),
    "polars": lambda: pl.Series(NUMBERS),
    "decimals": lambda: [decimal.Decimal(repr(number)) for number in NUMBERS.tolist()],
}


def test_forms_of_values():
    expected = MultimodalRegressor(epochs=1).fit(FRAME[["x"]], NUMBERS).predict(FRAME[["x"]])
    for make in VALUES.values():
        found = MultimodalRegressor(epochs=1).fit(FRAME[["x"]], make()).predict(FRAME[["x"]])
        np.testing.assert_array_equal(found, expected)


MISSING = {
    "None": np.array(["a", None, "b", "a"] * 12, object),
    "NaN": np.array([1, np.nan, 0, 1] * 12),
    "nullable": pd.Series([1, None, 0, 1] * 12, dtype="Int64"),
    "text": pd.Series(["a", None, "b", "a"] * 12, dtype="string"),
    "categories": pd.Series(pd.Categorical(["a", None, "b", "a"] * 12)),
    "a list": ["a", None, "b", "a"] * 12,
}


@pytest.mark.unit
@pytest.mark.parametrize("name", MISSING)
def test_missing_labels_are_counted(name):
    with pytest.raises(ValueError, match="12 missing labels, the first in row 1"):
        classifier().fit(FRAME[["x"]], MISSING[name])


@pytest.mark.unit
def test_labels_that_are_no_labels_are_refused():
    with pytest.raises(ValueError, match="several types: number, str"):
        classifier().fit(FRAME[["x"]], [1, "a"] * (N // 2))
    with pytest.raises(ValueError, match="infinity: 1 values, the first in row 2"):
        MultimodalRegressor().fit(FRAME[["x"]], np.where(np.arange(N) == 2, np.inf, 1.0))
    with pytest.raises(ValueError, match="no numbers"):
        MultimodalRegressor().fit(FRAME[["x"]], LABELS)
    with pytest.raises(ValueError, match="Expected 2D array"):
        classifier().fit(NUMBERS, LABELS)
    with pytest.raises(TableError, match="collect"):
        classifier().fit(pl.from_pandas(FRAME).lazy(), LABELS)


def test_columns_at_prediction():
    model = classifier(epochs=4).fit(FRAME, LABELS)
    with pytest.raises(ValueError, match="same order"):
        model.predict(FRAME[FRAME.columns[::-1]])
    with pytest.raises(ValueError, match="now missing"):
        model.predict(FRAME[["x"]])
    unseen = FRAME.assign(grade=pd.Categorical(["other"] * N))
    assert model.predict_proba(unseen).shape == (N, 2)
    expected = model.predict_proba(FRAME)
    for other in (pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME), FRAME.convert_dtypes(dtype_backend="pyarrow")):
        np.testing.assert_allclose(model.predict_proba(other), expected, atol=1e-6)
    reordered = FRAME.assign(grade=FRAME["grade"].cat.reorder_categories(["top", "high", "mid", "low"]))
    np.testing.assert_allclose(model.predict_proba(reordered), expected, atol=1e-6)


def test_arrays_and_frames_have_the_same_columns_by_position():
    named = FRAME[["x", "note"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's, about feature names
        for fitted_on, others in ((named, [named.to_numpy()]), (named.to_numpy(), [named, pl.from_pandas(named)])):
            model = classifier(epochs=4).fit(fitted_on, LABELS)
            for other in others:
                np.testing.assert_allclose(model.predict_proba(other), model.predict_proba(fitted_on), atol=1e-6)


@pytest.mark.parametrize("columns", [10**6, 2**40])
def test_sparse_matrix_of_too_many_columns_is_refused_with_what_to_do(columns):
    with pytest.raises(DataError, match="has too many columns") as caught:
        MultimodalClassifier(epochs=1).fit(sparse.csr_matrix((40, columns)), ["a", "b"] * 20)
    assert "100,000" in caught.value.rule and "TruncatedSVD" in caught.value.cure


def test_sparse_matrix_is_judged_by_what_its_columns_need(monkeypatch):
    """The cells of 40,000 columns are 10 MB; their schema, statistics and weights are more."""
    monkeypatch.setattr("sensorium.sklearn._inputs.usable_memory", lambda: 10**9)
    with pytest.raises(OutOfMemoryError, match=r"1\.44 GB"):
        MultimodalClassifier(epochs=1).fit(sparse.csr_matrix((40, 40_000)), ["a", "b"] * 20)
