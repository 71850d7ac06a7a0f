"""Hugging Face's datasets, and the {bytes, path} cells that they write to Parquet files."""

import io
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from PIL import Image
from pyarrow import parquet

import sensorium
from sensorium.errors import TableError
from sensorium.table import open_table
from tiers import spread

datasets = pytest.importorskip("datasets")
ROWS = 40


def picture(row):
    stream = io.BytesIO()
    Image.fromarray(np.full((16, 16, 3), 40 + 150 * (row % 2), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def sound(row):
    stream = io.BytesIO()
    soundfile.write(stream, np.sin(np.arange(1600) * (0.1 + 0.4 * (row % 2))), 8000, format="WAV")
    return stream.getvalue()


@pytest.fixture(scope="module")
def made():
    features = {
        "photo": datasets.Image(),
        "label": datasets.ClassLabel(names=["night", "day"]),
        "x": datasets.Value("float32"),
    }
    rows = {
        "photo": [{"bytes": picture(row), "path": None} for row in range(ROWS)],
        "label": [row % 2 for row in range(ROWS)],
        "x": [float(row) for row in range(ROWS)],
    }
    return datasets.Dataset.from_dict(rows, features=datasets.Features(features))


def test_rows_come_in_the_order_they_were_given_and_classes_by_name(made):
    shuffled = made.shuffle(seed=1).select(range(20))
    table = open_table(shuffled)
    assert table.column("x").data.to_pylist() == shuffled["x"][:]
    assert table.column("label").data.to_pylist() == [["night", "day"][k] for k in shuffled["label"][:]]
    assert table.column("photo").data.to_pylist()[0]["bytes"] == picture(int(shuffled["x"][0]))


def test_a_row_without_a_class_is_missing(made):
    rows = datasets.Dataset.from_dict(
        {"label": [0, -1, None, 1]}, features=datasets.Features({"label": datasets.ClassLabel(names=["a", "b"])})
    )
    assert open_table(rows).column("label").data.to_pylist() == ["a", None, None, "b"]


def test_pictures_are_learnt_from_and_predicted(made):
    model = sensorium.fit(made, "label", columns=["photo"], epochs=8, progress=False)
    assert model.card["columns"][0]["modality"] == "image"
    assert model.test.metrics["accuracy"] == 1
    assert set(model.predict(made)) == {"night", "day"}


def test_the_parts_of_a_dict_are_the_split(made):
    parts = made.train_test_split(0.25, seed=0)
    parts = datasets.DatasetDict(train=parts["train"], test=parts["test"])
    model = sensorium.fit(parts, "label", columns=["x"], epochs=1, progress=False)
    assert model.card["rows"]["test"] == 10
    assert model.card["rows"]["train"] + model.card["rows"]["validation"] == 30
    assert model.card["split_column"] == "split"


def test_a_stream_is_refused_with_the_cure(made):
    with pytest.raises(TableError, match="IterableDataset") as caught:
        open_table(made.to_iterable_dataset())
    assert "from_list" in caught.value.cure


FORMS = ["struct", "binary", "large_binary", "path", "gaps"]
EVERYDAY = [*product(FORMS, [picture]), ("struct", sound)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "make"),
    spread(product(FORMS, [picture, sound]), [*((form, picture) for form in FORMS), ("struct", sound)]),
)
def test_bytes_in_parquet_cells(form, make, tmp_path):
    suffix = {picture: "png", sound: "wav"}[make]
    content, cells = [make(row) for row in range(ROWS)], None
    if form == "path":
        for row in range(ROWS):
            (tmp_path / f"{row}.{suffix}").write_bytes(content[row])
        cells = [{"bytes": None, "path": f"{row}.{suffix}"} for row in range(ROWS)]
    elif form in ("struct", "gaps"):
        cells = [{"bytes": part, "path": f"{row}.{suffix}"} for row, part in enumerate(content)]
    if form == "gaps":
        cells[3], cells[5] = None, {"bytes": None, "path": None}
    kind = {"binary": pa.binary(), "large_binary": pa.large_binary()}.get(
        form, pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    )
    table = pa.table({"cell": pa.array(cells or content, kind), "label": ["ab"[row % 2] for row in range(ROWS)]})
    parquet.write_table(table, tmp_path / "t.parquet")
    model = sensorium.fit(tmp_path / "t.parquet", "label", epochs=10, progress=False)
    assert model.card["columns"][0]["modality"] == {picture: "image", sound: "audio"}[make]
    assert not [problem for problem in model.fit_problems if problem.column == "cell"]
    answers = model.predict(tmp_path / "t.parquet")
    right = np.array([answer == "ab"[row % 2] for row, answer in enumerate(answers)])
    assert right[[row for row in range(ROWS) if form != "gaps" or row not in (3, 5)]].all()


def test_pictures_of_one_length_in_bytes(tmp_path):
    content = [np.full((4, 4, 3), 60 * (row % 4), np.uint8).tobytes() for row in range(ROWS)]
    bmp = [b"BM" + bytes(12) for _ in content]
    table = open_table(pa.table({"cell": pa.array(bmp, pa.binary(14)), "row": list(range(ROWS))}))
    assert pa.types.is_binary(table.column("cell").data.type)


@pytest.mark.parametrize("wrap", [lambda kind: [kind], datasets.Sequence, getattr(datasets, "List", datasets.Sequence)])
def test_class_names_inside_lists_and_objects(wrap):
    kind = datasets.ClassLabel(names=["cat", "dog", "bird"])
    features = {"kinds": wrap(kind), "owner": {"has": kind, "age": datasets.Value("int32")}, "pairs": [[kind]]}
    rows = {
        "kinds": [[0, 2], [], None, [1, -1]],
        "owner": [{"has": 0, "age": 1}, {"has": -1, "age": 2}, {"has": 2, "age": None}, {"has": 1, "age": 3}],
        "pairs": [[[0], [1, 2]], [[]], [], [[2]]],
    }
    made = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    for given, order in ((made, range(4)), (made.select([3, 0]), (3, 0))):
        table = open_table(given)
        kinds = [["cat", "bird"], [], None, ["dog", None]]
        assert table.column("kinds").data.to_pylist() == [kinds[row] for row in order]
        names = ["cat", None, "bird", "dog"]
        assert [cell["has"] for cell in table.column("owner").data.to_pylist()] == [names[row] for row in order]
        pairs = [[["cat"], ["dog", "bird"]], [[]], [], [["bird"]]]
        assert table.column("pairs").data.to_pylist() == [pairs[row] for row in order]


def test_lists_of_classes_are_labels_by_name():
    features = datasets.Features(
        {"x": datasets.Value("float32"), "y": datasets.Sequence(datasets.ClassLabel(names=["cat", "dog"]))}
    )
    rows = {"x": [float(row % 5) for row in range(40)], "y": [[0], [0, 1], [], [1]] * 10}
    found = sensorium.inspect(datasets.Dataset.from_dict(rows, features=features), "y").target
    assert found["task"] == "multilabel" and {row["label"] for row in found["labels"]} == {"cat", "dog"}
