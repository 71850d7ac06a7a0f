"""Every type that Arrow knows is read, or its column is left out and told; the others stay as they are."""

import contextlib
import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

import sensorium
from sensorium.errors import SchemaError
from sensorium.registry import modalities
from sensorium.table import as_seconds, is_date_type, is_number_type, open_table
from sensorium.testing import make_column

N = 60
DAYS = [datetime.datetime(2026, 1, 1 + i % 28) for i in range(N)]
HALVES = [decimal.Decimal(i % 7) / 2 for i in range(N)]
WORDS, NUMBERS = ["u", "v", "w"] * 20, [i % 7 + 0.5 for i in range(N)]
PAIRS = [[float(i % 7), 2.0] for i in range(N)]
THIRDS = [i % 3 for i in range(N)]
LISTS = {
    "list": pa.list_,
    "large list": pa.large_list,
    "list view": pa.list_view,
    "large list view": pa.large_list_view,
}


class Own(pa.ExtensionType):
    def __init__(self):
        super().__init__(pa.list_view(pa.float32()), "sensorium.tests.own")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage, serialized):
        return cls()


def coded(values):
    return pa.DictionaryArray.from_arrays(pa.array(THIRDS, pa.uint32()), values)


def tensors(kind, shape, values):
    size = int(np.prod(shape))
    storage = pa.array([[value] * size for value in values], pa.list_(kind, size))
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(kind, list(shape)), storage)


def runs(values, ends=None):
    return pa.RunEndEncodedArray.from_arrays(pa.array([20, 40, 60], ends or pa.int32()), values)


def extension(kind, storage):
    return pa.ExtensionArray.from_storage(kind, storage)


LEFT_OUT = None
CASES = {
    **{str(kind): (pa.array([i % 7 for i in range(N)], kind), "number") for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()
    )},
    **{str(kind): (pa.array(NUMBERS).cast(kind), "number") for kind in (pa.float16(), pa.float32(), pa.float64())},
    **{str(kind): (pa.array(WORDS, kind), "category") for kind in (pa.string(), pa.large_string(), pa.string_view())},
    **{str(kind): (pa.array([b"uu", b"vv"] * 30, kind), LEFT_OUT) for kind in (
        pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)
    )},
    **{str(kind): (pa.array(DAYS, kind), "date") for kind in (
        pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us", "UTC"), pa.timestamp("ns")
    )},
    **{str(kind): (pa.array([datetime.timedelta(hours=i % 5) for i in range(N)], kind), "number") for kind in (
        pa.duration("s"), pa.duration("ms"), pa.duration("us"), pa.duration("ns")
    )},
    **{str(kind): (pa.array([datetime.time(i % 24) for i in range(N)], kind), LEFT_OUT) for kind in (
        pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")
    )},
    **{str(kind): (pa.array(HALVES, kind), "number") for kind in (
        pa.decimal32(9, 2), pa.decimal64(18, 2), pa.decimal128(38, 2), pa.decimal256(76, 2)
    )},
    "decimal of no fractions": (pa.array([decimal.Decimal(i % 7) for i in range(N)], pa.decimal256(60, 0)), "number"),
    "decimal of hundreds": (pa.array([decimal.Decimal(i % 7 * 100) for i in range(N)], pa.decimal128(5, -2)), "number"),
    "bool": (pa.array([True, False] * 30), "boolean"),
    "null": (pa.nulls(N), LEFT_OUT),
    "month interval": (pa.array([(1, 2, 3)] * N, pa.month_day_nano_interval()), LEFT_OUT),
    "dictionary of text": (pa.array(WORDS).dictionary_encode(), "category"),
    "dictionary of text views": (coded(pa.array(["u", "v", "w"], pa.string_view())), "category"),
    "dictionary of numbers": (coded(pa.array([1.5, 2.5, None])), "number"),
    "dictionary of truths": (coded(pa.array([True, False, None])), "boolean"),
    "dictionary of lists": (coded(pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])), "vector"),
    "dictionary of objects": (coded(pa.array([{"a": 1}, {"a": 2}, {"a": 3}])), LEFT_OUT),
    "runs of text": (runs(pa.array(["r", "g", "r"])), "category"),
    "runs of numbers": (runs(pa.array([1.5, None, 2.5]), pa.int16()), "number"),
    "runs of lists": (runs(pa.array([[1.0, 2.0], [2.0, 3.0], [1.0, 2.0]]), pa.int64()), "vector"),
    "map": (pa.array([[("k", 1)]] * N, pa.map_(pa.string(), pa.int64())), LEFT_OUT),
    "struct": (pa.array([{"a": i % 5, "b": "u"} for i in range(N)]), LEFT_OUT),
    "struct of text views": (pa.array([{"b": "u"}] * N, pa.struct([("b", pa.string_view())])), LEFT_OUT),
    "struct without fields": (pa.array([{}] * N, pa.struct([])), LEFT_OUT),
    "struct of a place": (pa.array([{"lat": 1.5 + i % 9, "lon": 2.0} for i in range(N)]), "geo"),
    "dense union": (pa.UnionArray.from_dense(
        pa.array([0, 1] * 30, pa.int8()), pa.array([i // 2 for i in range(N)], pa.int32()),
        [pa.array([1, 2, 3] * 10), pa.array(["u"] * 30)],
    ), "category"),
    "sparse union": (pa.UnionArray.from_sparse(
        pa.array([0, 1] * 30, pa.int8()), [pa.array([5] * N), pa.array(["u"] * N)]
    ), "category"),
    "uuid": (extension(pa.uuid(), pa.array([bytes([i % 4]) * 16 for i in range(N)], pa.binary(16))), "category"),
    "bool8": (extension(pa.bool8(), pa.array([0, 1] * 30, pa.int8())), "boolean"),
    "json": (extension(pa.json_(), pa.array(["1", "2", "u"] * 20)), "category"),
    "opaque": (extension(pa.opaque(pa.int32(), "t", "v"), pa.array([i % 7 for i in range(N)], pa.int32())), "number"),
    "own extension": (extension(Own(), pa.array(PAIRS, pa.list_view(pa.float32()))), "vector"),
    "tensors of pixels": (tensors(pa.uint8(), (8, 8), range(N)), "image"),
    "tensors of colours": (tensors(pa.uint8(), (4, 4, 3), range(N)), "image"),
    "tensors of steps": (tensors(pa.float32(), (5, 2), range(N)), "series"),
    "tensors of four dimensions": (tensors(pa.float32(), (2, 2, 2, 2), range(N)), LEFT_OUT),
    "lists of one length": (pa.array(PAIRS, pa.list_(pa.float64(), 2)), "vector"),
    "lists of one length with gaps": (pa.array([None, *PAIRS[1:]], pa.list_(pa.float32(), 2)), "vector"),
    **{f"{name} of {what}": (pa.array(cells, make(item)), modality) for name, make in LISTS.items() for (
        what, cells, item, modality
    ) in (
        ("numbers", PAIRS, pa.float64(), "vector"),
        ("half floats", [[np.float16(i % 3), np.float16(1)] for i in range(N)], pa.float16(), "vector"),
        ("decimals", [[HALVES[3], HALVES[i]] for i in range(N)], pa.decimal128(9, 2), "vector"),
        ("text views", [["a", "b"], ["b"]] * 30, pa.string_view(), "tags"),
        ("codes", [["a", "b"], ["b"]] * 30, pa.dictionary(pa.int8(), pa.string()), "tags"),
        ("lists", [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0]]] * 30, pa.list_view(pa.float32()), "series"),
        ("nothing", [[], [None]] * 30, pa.null(), LEFT_OUT),
        ("objects", [[{"a": 1}], [{"a": 2}]] * 30, pa.struct([("a", pa.int8())]), LEFT_OUT),
        ("maps", [[[("a", 1)]]] * N, pa.map_(pa.string(), pa.int8()), LEFT_OUT),
    )},
}  # fmt: skip


def in_pieces(cells):
    """The same cells as a view into others, and in chunks of which one is empty."""
    if pa.types.is_run_end_encoded(cells.type):
        return pa.chunked_array([cells[:25], cells[25:]])
    whole = pa.concat_arrays([cells, cells])[N:]
    return pa.chunked_array([whole[:25], whole[25:25], whole[25:]])


def tables(cells):
    rest = {"x": NUMBERS, "y": ["p", "q", "q"] * 20}
    return pa.table({**rest, "c": cells}), pa.table({**rest, "c": in_pieces(cells)})


@pytest.mark.parametrize("name", CASES)
def test_a_column_of_any_type_is_read_or_left_out(name):
    cells, modality = CASES[name]
    for table in tables(cells):
        found = {column.name: column for column in sensorium.inspect(table, "y").columns}
        assert found["x"].modality == "number"
        assert found["c"].modality == modality
        assert modality or ("no modality fits" in found["c"].reason) == (name != "null")


@pytest.mark.parametrize("name", CASES)
def test_cells_are_what_arrow_says(name):
    cells, modality = CASES[name]
    whole, pieces = (open_table(table).column("c").data.to_pylist() for table in tables(cells))
    assert whole == pieces
    simple = modality in ("number", "category", "boolean", "vector", "tags") and "union" not in name
    if simple and not any(word in name for word in ("duration", "uuid", "bool8", "map")):
        given = [v if not isinstance(v, list) else [*map(_plain, v)] for v in cells.to_pylist()]
        assert whole == [*map(_plain, given)]


def _plain(value):
    return float(value) if isinstance(value, decimal.Decimal | np.floating) else value


@pytest.mark.parametrize("name", CASES)
def test_a_target_of_any_type_is_taken_or_refused(name):
    cells, _ = CASES[name]
    with contextlib.suppress(SchemaError):
        found = sensorium.inspect(pa.table({"x": NUMBERS, "y": cells}), "y")
        assert found.target["task"]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Each modality that a table may hold, learnt of a column of its own kind."""
    folder = tmp_path_factory.mktemp("cells")
    names = ("number", "category", "boolean", "date", "text", "tags", "geo", "vector", "series", "image")
    return {name: modalities.load(name).learn(make_column(name, folder / name)) for name in names}


@pytest.mark.parametrize("name", CASES)
def test_a_model_reads_any_type_or_tells(name, learnt):
    column = open_table(pa.table({"c": CASES[name][0]})).column("c")
    for kind, modality in learnt.items():
        found = modality.encode(column)
        unread = set(np.flatnonzero(column.present & ~found.present))
        assert unread <= {problem.row for problem in found.problems}, kind


def test_what_a_prediction_can_not_read_is_told():
    random = np.random.default_rng(0)
    given = {"x": random.normal(size=N), "z": random.normal(size=N), "y": ["p", "q"] * 30}
    model = sensorium.fit(given, "y", epochs=1, progress=False)
    maps = pa.array([[("k", 1)]] * 2, pa.map_(pa.string(), pa.int64()))
    (problem,) = model.predictions(pa.table({"x": maps, "z": [0.5, 0.1]})).problems
    assert problem.column == "x"
    assert "map<string, int64>" in problem.reason and "missing in every row" in problem.reason


def test_whole_decimals_keep_their_digits():
    big = [decimal.Decimal(10**30 + 1), decimal.Decimal(7)]
    table = pa.table({"big": pa.array(big, pa.decimal128(38, 0)), "ids": pa.array([2**63, 1], pa.uint64())})
    assert open_table(table).arrow.to_pydict() == {"big": [str(10**30 + 1), "7"], "ids": [str(2**63), "1"]}


def test_durations_are_seconds_and_told():
    hours = pa.array([datetime.timedelta(hours=i % 5) for i in range(N)])
    found = sensorium.inspect(pa.table({"c": hours})).columns[0]
    assert "durations are read as seconds" in found.reason
    assert open_table(pa.table({"c": hours})).column("c").data.to_pylist()[:3] == [0, 3600, 7200]


def test_times_of_day_and_durations_are_no_dates_and_booleans_and_decimals_no_numbers():
    kinds = [pa.date32(), pa.timestamp("ns", "UTC"), pa.time32("s"), pa.duration("s")]
    assert list(map(is_date_type, kinds)) == [True, True, False, False]
    kinds = [pa.int8(), pa.uint64(), pa.float16(), pa.bool_(), pa.decimal128(5, 2), pa.null()]
    assert list(map(is_number_type, kinds)) == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    "kind", [pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns", "Asia/Tokyo")], ids=str
)
def test_dates_of_every_type_are_seconds_since_1970(kind):
    days = pa.array([datetime.datetime(1969, 12, 31), None, datetime.datetime(1970, 1, 3)], pa.timestamp("us")).cast(
        kind
    )
    for cells in (days, pa.chunked_array([days[:1], days[1:]])):
        assert np.array_equal(as_seconds(cells), [-86_400, np.nan, 172_800], equal_nan=True)
