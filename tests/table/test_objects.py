"""Whatever people hold a table in is read as what it stands for, or refused with a cure; nothing of Arrow's shows."""

import collections
import csv
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import pathlib
import sqlite3
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from PIL import Image

import sensorium
from sensorium.errors import SchemaError, TableError
from sensorium.table import open_table

N = 40
RANDOM = np.random.default_rng(0)
Named = collections.namedtuple("Named", ["v", "w"])
D = decimal.Decimal


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass
class Row:
    v: float
    w: str


def picture(grey, mode="RGB", side=8):
    return Image.fromarray(np.full((side, side), grey, np.uint8)).convert(mode)


def pixels(shape, kind=np.uint8):
    return [np.full(shape, i, kind) for i in range(N)]


PERIODS = pd.period_range("2020-01", periods=N, freq="M")
LEFT_OUT = None
CELLS = {
    "cut": (pd.cut(np.arange(N) / 1.0, 4), "category"),
    "intervals": ([pd.Interval(i % 3, i % 3 + 1) for i in range(N)], "category"),
    "interval array": (pd.arrays.IntervalArray([pd.Interval(i % 3, i % 3 + 1) for i in range(N)]), "category"),
    "months": (pd.Series(PERIODS), "date"),
    "quarters": (pd.Series(pd.period_range("2020Q1", periods=N, freq="Q")), "date"),
    "month objects": (list(PERIODS), "date"),
    "sparse": (pd.Series(pd.arrays.SparseArray([0.5, 1.5, 7] * 13 + [0.5])), "number"),
    "nullable integers": (pd.Series([1, None, 5, 9] * 10, dtype="Int64"), "number"),
    "nullable truths": (pd.Series([True, None, False, True] * 10, dtype="boolean"), "boolean"),
    "nullable text": (pd.Series(["u", None, "v", "u"] * 10, dtype="string"), "category"),
    "arrow backed": (pd.Series([1.5, None] * 19 + [2.5, 3.5], dtype=pd.ArrowDtype(pa.float32())), "number"),
    "categories of numbers and words": (pd.Series([1, "a", 1, 3] * 10, dtype="category"), "category"),
    "polars categories": (pl.Series(["u", "v"] * 20, dtype=pl.Categorical), "category"),
    "polars enum": (pl.Series(["u", "v"] * 20, dtype=pl.Enum(["u", "v"])), "category"),
    "polars decimals": (pl.Series(["1.50", "2.25"] * 20).cast(pl.Decimal(10, 2)), "number"),
    "polars durations": (pl.Series([datetime.timedelta(hours=i % 5) for i in range(N)]), "number"),
    "polars objects": (pl.Series([pathlib.Path(f"d/{i % 4}") for i in range(N)], dtype=pl.Object), "category"),
    "polars wide integers": (pl.Series([i % 7 for i in range(N)], dtype=pl.Int128), "number"),
    "polars arrays": (pl.Series([[i % 5, 2.0] for i in range(N)], dtype=pl.Array(pl.Float32, 2)), "vector"),
    "durations": ([datetime.timedelta(hours=i % 5) for i in range(N)], "number"),
    "complex": ([1j * i for i in range(N)], LEFT_OUT),
    "complex array": (np.arange(N) * 1j, LEFT_OUT),
    "words and numbers": (["x", 1, 2, "y"] * 10, "category"),
    "ages": (["50+", 12, 13.5, None] * 10, "number"),
    "truths and words": ([True, "no"] * 20, "category"),
    "pictures": ([picture(i) for i in range(N)], "image"),
    "grey pictures": ([picture(i, "L") for i in range(N)], "image"),
    "clear pictures": ([picture(i, "RGBA") for i in range(N)], "image"),
    "printed pictures": ([picture(i, "CMYK") for i in range(N)], "image"),
    "deep pictures": ([Image.fromarray(np.full((8, 8), 300 * i, np.uint16)) for i in range(N)], "image"),
    "pictures and gaps": ([picture(i) if i % 3 else None for i in range(N)], "image"),
    "lists of pictures": ([[picture(i), picture(i + 1)] for i in range(N)], "images"),
    "colour arrays": (pixels((8, 8, 3)), "image"),
    "grey arrays": (pixels((8, 8)), "image"),
    "arrays of one channel": (pixels((8, 8, 1)), "image"),
    "channels first": (pixels((3, 8, 8)), "image"),
    "deep arrays": (pixels((8, 8), np.uint16), "image"),
    "arrays of several sizes": ([np.full((8, 8 + i % 3, 3), i, np.uint8) for i in range(N)], "image"),
    "fractions of white": ([RANDOM.random((8, 8, 3)) for _ in range(N)], "image"),
    "a stack of pictures": (np.stack(pixels((8, 8, 3))), "image"),
    "masks": ([RANDOM.random((8, 8)) > 0.5 for _ in range(N)], "image"),
    "steps of channels": ([RANDOM.random((10, 3)) for _ in range(N)], "series"),
    "vectors": ([RANDOM.random(5) for _ in range(N)], "vector"),
    "a matrix": (RANDOM.random((N, 5)), "vector"),
    "arrays of unequal length": ([RANDOM.random(5 + i % 3) for i in range(N)], "series"),
    "volumes": ([RANDOM.random((9, 9, 9)) for _ in range(N)], LEFT_OUT),
    "films": ([np.zeros((5, 8, 8, 3), np.uint8) for _ in range(N)], LEFT_OUT),
    "tensors of pixels": ([torch.full((3, 8, 8), i, dtype=torch.uint8) for i in range(N)], "image"),
    "tensors": ([torch.rand(4, requires_grad=True) for _ in range(N)], "vector"),
    "short tensors": ([torch.rand(4).bfloat16() for _ in range(N)], "vector"),
    "tensors of one number": ([torch.tensor(i % 5 + 0.5) for i in range(N)], "number"),
    "a tensor": (torch.rand(N), "number"),
    "paths": ([pathlib.PurePosixPath(f"d/{i % 5}") for i in range(N)], "category"),
    "paths of pictures": ([pathlib.Path(f"{i}.png") for i in range(N)], "image"),
    "days and moments": (
        [datetime.date(2026, 1, 1 + i % 28) if i % 2 else datetime.datetime(2026, 1, 2, i % 24) for i in range(N)],
        "date",
    ),
    "moments of NumPy": ([np.datetime64("2026-01-01") + i % 9 if i % 3 else None for i in range(N)], "date"),
    "months of NumPy": (np.array(["2026-01", "2026-02"] * 20, "datetime64[M]"), "date"),
    "decimals": ([D(i % 7) / 2 for i in range(N)], "number"),
    "decimals and floats": ([D("1.5"), 2.25, 3.5, 7.75] * 10, "number"),
    "uuids": ([uuid.UUID(int=i % 5) for i in range(N)], "category"),
    "members": ([Colour.RED, Colour.BLUE] * 20, "category"),
    "members that are numbers": ([Size.SMALL, Size.LARGE] * 20, "number"),
    "fractions": ([fractions.Fraction(i % 7 + 1, 3) for i in range(N)], "number"),
    "other byte order": (np.array([1.5, 2.5, 7.0, 8.0] * 10, ">f8"), "number"),
    "long floats": (np.array([1.5, 2.5, 7.0, 8.0] * 10, np.longdouble), "number"),
    "half floats": (np.array([1.5, 2.5, 7.0, 8.0] * 10, np.float16), "number"),
    "masked": (np.ma.array([1.5, 2.5, 7.0, 8.0] * 10, mask=[0, 0, 0, 1] * 10), "number"),
    "sets": ([{"a", "b"}, {"b"}] * 20, "tags"),
    "ranges": ([range(i % 4 + 2) for i in range(N)], "series"),
    "queues": ([collections.deque([1.5, i % 3]) for i in range(N)], "vector"),
    "open files": ([io.BytesIO(b"\x89PNG" + bytes([i])) for i in range(N)], "image"),
    "objects": ([object() for _ in range(N)], LEFT_OUT),
    "functions": ([len] * N, LEFT_OUT),
}  # fmt: skip


def forms(cells):
    """The same cells in a dict, in rows and, where it can hold them, in a frame."""
    rest = {"x": RANDOM.normal(size=N), "y": ["a", "b", "b", "a"] * 10}
    yield {**rest, "c": cells}
    yield [{"x": x, "y": y, "c": c} for x, y, c in zip(rest["x"], rest["y"], list(cells), strict=True)]
    if isinstance(cells, list | pd.Series | pd.Categorical):
        yield pd.DataFrame({**rest, "c": pd.Series(cells, dtype=object) if isinstance(cells, list) else cells})
    if isinstance(cells, pl.Series):
        yield pl.DataFrame({**rest, "c": cells})


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_what_they_stand_for(name):
    cells, modality = CELLS[name]
    for given in forms(cells):
        found = {column.name: column for column in sensorium.inspect(given, "y").columns}
        assert found["x"].modality == "number"
        assert found["c"].modality == modality
        if modality is LEFT_OUT:
            assert "no modality fits" in found["c"].reason and found["c"].caution


VALUES = {
    "cut": (pd.cut(np.array([0.0, 4.0]), 2), ["(-0.004, 2.0]", "(2.0, 4.0]"]),
    "months": (
        pd.Series(pd.period_range("2020-01", periods=2, freq="M")),
        [datetime.datetime(2020, m, 1) for m in (1, 2)],
    ),
    "quarters": (pd.period_range("2020Q1", periods=2, freq="Q"), [datetime.datetime(2020, m, 1) for m in (1, 4)]),
    "days before 1970": (pd.period_range("1969-12-31", periods=1, freq="D"), [datetime.datetime(1969, 12, 31)]),
    "words and numbers": (["x", 1, 2.5, True, None], ["x", "1", "2.5", "true", None]),
    "lists and words": ([["a"], "b", {"k": 1}], ['["a"]', "b", '{"k": 1}']),
    "days and moments": (
        [datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 2, 3)],
        [datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 2, 3)],
    ),
    "bytes and paths": ([b"x", "a.png", None], [{"bytes": b"x", "path": None}, {"bytes": None, "path": "a.png"}, None]),
    "large numbers": ([10**30, 1], [str(10**30), "1"]),
    "gaps": ([pd.NA, pd.NaT, float("nan"), D("NaN"), None, np.ma.masked, "u"], [None] * 6 + ["u"]),
    "gaps among dates": ([pd.NaT, datetime.datetime(2026, 1, 1)], [None, datetime.datetime(2026, 1, 1)]),
    "members": ([Colour.RED, None], ["RED", None]),
    "sets": ([{"b", "a"}, frozenset("c")], [["a", "b"], ["c"]]),
    "uuid": ([uuid.UUID(int=7)], [str(uuid.UUID(int=7))]),
    "some that cannot be read": ([1.5, object(), 2.5], [1.5, None, 2.5]),
}


@pytest.mark.parametrize("name", VALUES)
def test_no_value_is_changed(name):
    given, expected = VALUES[name]
    assert open_table({"c": given}).column("c").data.to_pylist() == expected
    if isinstance(given, list):
        frame = pd.DataFrame({"c": pd.Series(given, dtype=object)})
        assert open_table(frame).column("c").data.to_pylist() == expected


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "CMYK", "F", "I"])
def test_pictures_keep_their_pixels(mode):
    given = picture(200, mode)
    (cell,) = open_table({"c": [given]}).column("c").data.to_pylist()
    kept = Image.open(io.BytesIO(cell["bytes"]))
    assert kept.mode == mode and np.array_equal(np.asarray(kept), np.asarray(given))


def test_arrays_keep_their_pixels():
    given = RANDOM.integers(0, 256, (5, 7, 3), np.uint8)
    for cell in (given, np.moveaxis(given, -1, 0), torch.tensor(given).permute(2, 0, 1), given / 255):
        (found,) = open_table({"c": [cell], "row": ["a"]}).column("c").data.to_pylist()
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(found["bytes"]))), given)


def test_what_became_of_pixels_and_lost_cells_is_told():
    given = {"c": [RANDOM.random((8, 8, 3)) for _ in range(N)], "d": [1.5, object(), 2.5, 7.5] * 10}
    picture_, numbers = sensorium.inspect(given).columns
    assert "read as 8-bit pixels" in picture_.reason
    assert "10 cells with objects of type object are read as missing" in numbers.caution


FRAME = pd.DataFrame({"v": [1.5, 2.5], "w": ["x", "y"]})
TABLE = {"v": [1.5, 2.5], "w": ["x", "y"]}
SHAPES = {
    "rows": lambda: [{"v": 1.5, "w": "x"}, {"v": 2.5, "w": "y"}],
    "dataclasses": lambda: [Row(1.5, "x"), Row(2.5, "y")],
    "named tuples": lambda: [Named(1.5, "x"), Named(2.5, "y")],
    "rows of a frame": lambda: [FRAME.iloc[0], FRAME.iloc[1]],
    "a generator": lambda: (row for row in FRAME.to_dict("records")),
    "a tuple": lambda: tuple(FRAME.to_dict("records")),
    "a queue": lambda: collections.deque(FRAME.to_dict("records")),
    "a reader": lambda: csv.DictReader(io.StringIO("v,w\n1.5,x\n2.5,y\n")),
    "columns of generators": lambda: {"v": (v for v in (1.5, 2.5)), "w": map(str, "xy")},
    "columns of arrays": lambda: {"v": np.array([1.5, 2.5]), "w": pa.array(["x", "y"])},
    "columns of series": lambda: FRAME.to_dict("series"),
    "columns of polars": lambda: {"v": pl.Series([1.5, 2.5]), "w": pl.Series(["x", "y"])},
    "columns by label": lambda: FRAME.to_dict(),
    "rows by label": lambda: FRAME.to_dict("index"),
    "a structured array": lambda: np.array([(1.5, "x"), (2.5, "y")], dtype=[("v", float), ("w", "U1")]),
    "a record array": lambda: FRAME.to_records(index=False),
    "rows of a structured array": lambda: list(np.array([(1.5, "x"), (2.5, "y")], dtype=[("v", float), ("w", "U1")])),
    "a batch": lambda: pa.record_batch(TABLE),
    "an array of objects": lambda: pa.array([{"v": 1.5, "w": "x"}, {"v": 2.5, "w": "y"}]),
    "a frame": lambda: FRAME,
    "a polars frame": lambda: pl.DataFrame(TABLE),
}


@pytest.mark.parametrize("name", SHAPES)
def test_tables_come_in_many_shapes(name):
    assert open_table(SHAPES[name]()).arrow.to_pydict() == TABLE


def test_rows_of_a_database_are_a_table():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT 1.5 v, 'x' w UNION SELECT 2.5, 'y'").fetchall()
    assert open_table(rows).arrow.to_pydict() == TABLE


ONE = {
    "numbers and words": {"v": 1.5, "w": "x"},
    "a gap": {"v": None},
    "bytes": {"v": b"x"},
    "a path": {"v": pathlib.PurePosixPath("a.png"), "w": [1, 2]},
    "a picture": {"v": picture(7), "w": [1, 2]},
    "a file": {"v": {"bytes": b"x", "path": None}, "w": [1, 2]},
    "an open file": {"v": io.BytesIO(b"x")},
    "an array and a word": {"v": np.zeros((4, 4, 3), np.uint8), "w": "x"},
    "numbers of NumPy": {"v": np.float64(1.5), "w": np.array(3)},
    "a day": {"v": datetime.date(2026, 1, 1), "w": (1, 2)},
}


@pytest.mark.parametrize("name", ONE)
def test_a_dict_of_cells_is_one_row(name):
    assert len(open_table(ONE[name])) == 1


def test_a_model_answers_one_dict():
    random = np.random.default_rng(0)
    given = {"x": random.normal(size=N), "c": ["u", "v"] * 20, "y": ["a", "b"] * 20}
    model = sensorium.fit(given, "y", epochs=1, progress=False)
    assert len(model.predict({"x": 0.5, "c": "u"})) == 1
    assert np.array_equal(model.predict_proba({"x": 0.5, "c": "u"}), model.predict_proba([{"x": 0.5, "c": "u"}]))


def test_a_key_that_only_later_rows_have_is_a_column():
    assert open_table([{"a": 1}, {"a": 2, "b": "x"}]).arrow.to_pydict() == {"a": [1, 2], "b": [None, "x"]}


def test_names_that_are_no_text_become_it():
    levels = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    assert open_table(pd.DataFrame(np.zeros((2, 2)))).columns == ["0", "1"]
    assert open_table(pd.DataFrame(np.zeros((2, 2)), columns=levels)).columns == ["('a', 'x')", "('a', 'y')"]
    assert open_table({1: [1], 2: [2]}).columns == ["1", "2"]


REFUSED = {
    "a column twice": (lambda: pd.DataFrame(np.zeros((2, 2)), columns=["x", "x"]), "2 columns have the name 'x'"),
    "names that become one": (lambda: {1: [1], "1": [2]}, "2 columns have the name '1'"),
    "a series": (lambda: FRAME["v"], r"to_frame\(\)"),
    "a row of a frame": (lambda: FRAME.iloc[0], r"\[dict\(row\)\]"),
    "a polars series": (lambda: pl.Series([1]), r"to_frame\(\)"),
    "a lazy frame": (lambda: pl.LazyFrame(TABLE), r"collect\(\)"),
    "a column of Arrow": (lambda: pa.chunked_array([[1]]), r"pyarrow\.table"),
    "a matrix": (lambda: np.zeros((2, 2)), "columns have no names"),
    "lists": (lambda: [[1, 2], [3, 4]], "columns have no names"),
    "a zip": (lambda: zip([1], [2], strict=True), "columns have no names"),
    "words": (lambda: ["a", "b"], "columns have no names"),
    "frames": (lambda: [FRAME, FRAME], "columns have no names"),
    "a gap among rows": (lambda: [{"a": 1}, None], "NoneType"),
    "a set": (lambda: {1, 2}, "no order"),
    "a set as column": (lambda: {"a": {1, 2}}, "no order"),
    "columns of unequal length": (lambda: {"a": [1, 2], "b": [1]}, "'a' has 2, 'b' has 1"),
    "a split frame": (lambda: FRAME.to_dict("split"), r'to_dict\("list"\)'),
    "an open file": (lambda: io.StringIO("a,b"), "path of the file"),
    "bytes": (lambda: b"a,b", "path of the file"),
    "nothing": (lambda: None, "cannot read a table"),
    "a class": (lambda: Row, "cannot read a table"),
    "no rows": (list, "no rows"),
    "columns of no rows": (lambda: {"a": []}, "no rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_with_a_cure(name):
    make, message = REFUSED[name]
    with pytest.raises(TableError, match=message) as caught:
        open_table(make())
    assert "Arrow" not in str(caught.value) or "pyarrow" in str(caught.value)


def test_a_target_that_can_not_be_read_is_named():
    with pytest.raises(SchemaError, match="the target contains complex numbers"):
        sensorium.inspect({"x": RANDOM.normal(size=N), "y": [1j] * N}, "y")
