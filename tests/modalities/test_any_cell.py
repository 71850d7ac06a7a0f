"""Whatever a column holds, its modality gives one cell a row: present and finite, or missing with a reason.

A model is given tables that its author never saw: a column may come in another type than in training.
"""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorium.modalities import Ragged
from sensorium.registry import modalities
from sensorium.table import Column, open_table
from sensorium.testing import make_column

TYPES = {
    "integers": [1, 2],
    "floats": [1.5, float("inf")],
    "booleans": [True, False],
    "decimals": [decimal.Decimal("1.50"), None],
    "text": ["x", "\ufffe\0"],
    "bytes": [b"\xff\xfe", b""],
    "lists": [["a"], ["b", None]],
    "lists of numbers": [[1.0, 2.0], [3.0]],
    "objects": [{"a": 1}, {"a": 2}],
    "days": [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)],
    "moments": [datetime.datetime(2026, 1, 1, 12), datetime.datetime(1890, 1, 1)],
    "times": [datetime.time(1), datetime.time(2)],
    "durations": [datetime.timedelta(1), datetime.timedelta(2)],
    "nothing": [None, None],
}


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Each modality, learnt of a column of its own kind."""
    return {
        name: modalities.load(name).learn(make_column(name, tmp_path_factory.mktemp(name)))
        for name in modalities.names()
    }


def arrays(encoded):
    return encoded.values.values if isinstance(encoded.values, Ragged) else encoded.values


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", modalities.names())
def test_a_column_of_any_type_is_read_or_told(name, kind, learnt):
    cells = open_table({"c": TYPES[kind]}).column("c")
    encoded = learnt[name].encode(cells)
    assert len(encoded.values) == len(encoded.present) == 2
    assert np.isfinite(arrays(encoded)).all()
    assert not (encoded.present & ~cells.present).any()
    unread = set(np.flatnonzero(cells.present & ~encoded.present))
    assert unread <= {problem.row for problem in encoded.problems}


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "nothing"])
@pytest.mark.parametrize("name", ["text", "category"])
def test_words_and_names_can_be_learnt_of_any_type(name, kind):
    cells = open_table({"c": TYPES[kind]}).column("c")
    encoded = modalities.load(name).learn(cells).encode(cells)
    assert (encoded.present == cells.present).all()
    assert not encoded.problems


NAMES = ["number", "category", "boolean", "date", "text", "tags", "geo"]
STRANGE = [
    "yes", "no", "1e400", "-0", "  ", "\0", "9" * 400, "class", "😀", "中文", "level_1",
    '["a", "b"]', "[]", "[", "1e-5 2", "95, 3", "[1, 1e999]", '{"lat": 1, "lon": 2}',
]  # fmt: skip
CELLS = st.lists(
    st.none()
    | st.text(max_size=20)
    | st.from_regex(r"[-+<~$]?[0-9.,]{0,6}[%+]?(-[0-9]+)?", fullmatch=True)
    | st.from_regex(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(T[0-9:Z+-]{0,12})?", fullmatch=True)
    | st.sampled_from(STRANGE),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_random_text_never_raises_and_each_cell_stands_for_itself(name, learnt):
    @settings(deadline=None, max_examples=50, derandomize=True)
    @given(CELLS)
    def check(cells):
        column = Column("c", pa.array(cells, pa.string()), open_table({"c": [1]}).files)
        together = learnt[name].encode(column)
        assert np.isfinite(arrays(together)).all()
        told = {problem.row for problem in together.problems}
        for row, cell in enumerate(cells):
            alone = learnt[name].encode(column.take(np.array([row])))
            assert alone.present[0] == together.present[row]
            assert np.array_equal(alone.values[0], together.values[row])
            assert (row in told) == bool(alone.problems)
            assert cell is not None or not alone.present[0]

    check()


@pytest.mark.parametrize("number", [1, 7, 10**6, 10**11, 123456789012, 2**53])
def test_numbered_names_are_the_same_beside_a_missing_cell(number):
    """pandas makes floats of integers where a cell is missing."""
    category = modalities.load("category").learn(open_table({"c": [number, number, 3, 3]}).column("c"))
    beside = open_table({"c": [float(number), None, 3.0]}).column("c")
    assert beside.is_float
    whole = open_table({"c": [number, 3]}).column("c")
    assert category.encode(beside).values.tolist()[::2] == category.encode(whole).values.tolist()
    assert not category.encode(beside).problems
