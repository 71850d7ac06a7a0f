"""A cell may hold its file: as bytes, an open file, an array, an image, or a data URL; all give the same array."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import sensorium
from sensorium import registry
from sensorium.findings import Unreadable
from sensorium.modalities import Ragged
from sensorium.prepare._file_cells import fetch_files
from sensorium.runtime.progress import Silent
from sensorium.table import RemoteFiles, open_table
from sensorium.table import _remote as remote
from sensorium.testing import make_table

KINDS = ["image", "audio", "video", "scan", "document"]


def url(content, kind="application/octet-stream"):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def picture(value, size=8):
    return Image.fromarray(np.full((size, size, 3), value, np.uint8))


def png(value, size=8):
    stream = io.BytesIO()
    picture(value, size).save(stream, "PNG")
    return stream.getvalue()


def column(cells, **more):
    return open_table({"c": cells, "row": list(range(len(cells)))}, **more).column("c")


def arrays(encoded):
    values = encoded.values
    return [values.values, values.offsets] if isinstance(values, Ragged) else [values]


@pytest.mark.parametrize("kind", KINDS)
def test_data_urls_are_the_files_that_they_hold(kind, tmp_path):
    path = make_table(tmp_path, rows=12, modalities=[kind])
    table = open_table(path)
    (name,) = [column for column in table.columns if column not in ("label", "split")]
    on_disk = table.column(name)
    cells = [url((tmp_path / cell).read_bytes()) for cell in on_disk.data.to_pylist()]
    (found,) = [plan for plan in sensorium.inspect({"c": cells, "y": ["a", "b"] * 6}, "y").columns if plan.name == "c"]
    assert (found.modality, "data URLs" in found.reason) == (kind, True)
    learn = registry.modalities.entries[kind].load().learn
    expected, held = learn(on_disk).encode(on_disk), learn(column(cells)).encode(column(cells))
    assert held.present.all() and not held.problems
    for one, other in zip(arrays(expected), arrays(held), strict=True):
        assert np.array_equal(one, other)


FORMS = {
    "bytes": lambda value, _: png(value),
    "a byte array": lambda value, _: bytearray(png(value)),
    "a memory view": lambda value, _: memoryview(png(value)),
    "a stream": lambda value, _: io.BytesIO(png(value)),
    "an image": lambda value, _: picture(value),
    "an array": lambda value, _: np.full((8, 8, 3), value, np.uint8),
    "a data URL": lambda value, _: url(png(value), "image/png"),
    "a path": lambda value, folder: str(folder / f"{value}.png"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_model_reads_every_form_of_a_file(name, image_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = (10, 200)
    for value in values:
        (tmp_path / f"{value}.png").write_bytes(png(value))
    cells = [FORMS[name](value, tmp_path) for value in values]
    expected = image_model.predict_proba({"photo": [png(value) for value in values]})
    for table in (
        {"photo": cells},
        [{"photo": cell} for cell in cells],
        pd.DataFrame({"photo": pd.Series(cells, dtype=object)}),
    ):
        found = image_model.predictions(table)
        np.testing.assert_allclose(found.scores, expected, atol=1e-6)
        assert not found.problems
    if name == "a stream":
        assert cells[0].tell() == 0


@pytest.fixture(scope="module")
def image_model():
    cells = [url(png(value % 250), "image/png") for value in range(40)]
    table = {"photo": cells, "y": ["dark", "light"] * 20}
    model = sensorium.fit(table, "y", epochs=1, width=8, progress=False)
    assert model.columns == {"photo": "image"}
    return model


BROKEN = {
    "data:image/png;base64,iVBOR!!!": "not valid base64",
    "data:image/png;base64,": "holds 0 bytes",
    "data:image/png,iVBORw0": "not in base64",
    "data:image/png;base64,aGVsbG8=": "not an image",
    url(png(1), "image/png")[:80]: "damaged",
}


@pytest.mark.parametrize("cell", BROKEN)
def test_a_broken_data_url_is_a_problem_of_its_cell(cell, image_model):
    found = image_model.predictions({"photo": [url(png(3)), cell]})
    assert found.present["photo"].tolist() == [True, False]
    (problem,) = [problem for problem in found.problems if problem.column == "photo"]
    assert problem.row == 1 and BROKEN[cell] in problem.reason and problem.reason.endswith("read as missing")
    assert len(problem.value) < 100


def test_spellings_of_base64(image_model):
    content = png(77)
    digits = base64.b64encode(content).decode()
    cells = [
        f"data:image/png;base64,{digits}", f" DATA:image/PNG;BASE64,{digits}", f"data:;base64,{digits.rstrip('=')}",
        f"data:image/png;name=a.png;base64,{base64.urlsafe_b64encode(content).decode()}",
        "data:image/png;base64," + digits.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        "data:image/png;base64," + "\n".join(digits[k : k + 60] for k in range(0, len(digits), 60)),
    ]  # fmt: skip
    found = image_model.predictions({"photo": cells})
    assert not found.problems
    np.testing.assert_allclose(found.scores, found.scores[:1].repeat(len(cells), 0), atol=1e-6)


def test_large_images_are_refused_as_in_files():
    cells = column([url(png(1, 64)), url(png(2, 8))])
    learnt = registry.modalities.entries["image"].load().learn(cells, max_pixels=1000)
    found = learnt.encode(cells)
    assert found.present.tolist() == [False, True] and "over the limit of 1,000" in found.problems[0].reason


def test_text_that_begins_with_data_is_text():
    random = np.random.default_rng(0)
    words = ["data: the parcel came late", "data:image missing, see note", "data:, and more", "data:5 base64,abc"]
    texts = [f"{words[k % 4]} {random.integers(1000)}" for k in range(60)]
    found = sensorium.inspect({"c": texts, "y": ["a", "b"] * 30}, "y", config={"encoders": {"c": "bilstm"}})
    (plan,) = [plan for plan in found.columns if plan.name == "c"]
    assert plan.modality in ("text", "category") and not plan.caution
    urls = [url(b"no image at all %d" % k, "text/plain") for k in range(60)]
    (plan,) = [plan for plan in sensorium.inspect({"c": urls, "y": ["a", "b"] * 30}, "y").columns if plan.name == "c"]
    assert plan.modality != "image"


def test_paths_and_data_urls_stand_in_one_column(tmp_path):
    for value in range(6):
        (tmp_path / f"{value}.png").write_bytes(png(value * 40))
    cells = [f"{value}.png" if value % 2 else url(png(value * 40)) for value in range(6)]
    found = column(cells * 4, folder=tmp_path)
    modality = registry.modalities.entries["image"].load()
    assert modality.looks_like(found)
    encoded = modality.learn(found).encode(found)
    assert encoded.present.all() and not encoded.problems


def test_lists_of_data_urls_are_several_images():
    cells = [[url(png(k)), url(png(k + 1))] for k in range(24)]
    for given in (cells, [json.dumps(cell) for cell in cells]):
        found = sensorium.inspect({"c": given, "y": ["a", "b"] * 12}, "y")
        (plan,) = [plan for plan in found.columns if plan.name == "c"]
        assert plan.modality == "images"
    learnt = registry.modalities.entries["images"].load().learn(column(cells))
    found = learnt.encode(column([url(png(3)), json.dumps(cells[0])]))
    assert found.present.all() and not found.problems


def test_the_same_image_in_two_data_urls_is_a_duplicate():
    cells = [url(png(k % 20), "image/png") if k < 20 else url(png(k % 20)) for k in range(40)]
    found = sensorium.inspect({"c": cells, "y": ["a", "b"] * 20}, "y")
    (same,) = [copies for copies in found.copies if copies.column == "c" and copies.kind == "same"]
    assert same.groups == 20


def test_a_data_url_names_no_file():
    with pytest.raises(Unreadable, match="not a path"):
        column(["a"]).files.path(url(b"x"))


def test_data_urls_beside_a_remote_table_are_not_requested(monkeypatch):
    monkeypatch.setattr(remote, "fetch", lambda *_, **__: pytest.fail("a request"))
    files = RemoteFiles(Path.cwd(), address="https://example.org/t")
    cells = replace(column([url(png(10)), url(png(200))]), files=files)
    fetch_files(cells, Silent())
    with pytest.raises(Unreadable, match="not a path"):
        files.path(url(b"x"))
    image = registry.modalities.entries["image"].load()
    assert image.looks_like(cells) and image.learn(cells).encode(cells).present.all()


def test_files_in_text_tables_come_back_from_predictions(image_model, tmp_path):
    """A CSV of `keep` holds files as data URLs, which the model reads again."""
    cells = [png(10), png(200)]
    first = image_model.predictions({"photo": cells}, keep="photo")
    for suffix in (".csv", ".jsonl"):
        first.save(tmp_path / f"out{suffix}")
        again = image_model.predictions(tmp_path / f"out{suffix}")
        np.testing.assert_allclose(again.scores, first.scores, atol=1e-6)
        assert not again.problems.of_cells()


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("data:image/png;base64," + "A" * 10**6, id="a data URL that is no image"),
        pytest.param("A" * 10**6, id="a run of letters"),
        pytest.param("a.-+" * 250_000, id="a run of what schemes are written with"),
        pytest.param("." * 10**6 + "//", id="a run of points"),
        pytest.param("data:" + ";a=b" * 250_000, id="a data URL of parameters alone"),
    ],
)
def test_a_long_cell_that_is_no_file_is_missing_with_a_short_problem(cell, image_model):
    found = image_model.predictions({"photo": [cell, png(3)]}, progress=False)  # hours, where it is quadratic
    assert found.present["photo"].tolist() == [False, True]
    (problem,) = [problem for problem in found.problems if problem.column == "photo"]
    assert problem.row == 0 and len(problem.value) < 120


def test_the_secrets_of_an_address_in_a_cell_are_not_reported(image_model):
    cell = "see -+https://user:s3cret@example.org/a b.png?token=s3cret;ftp://u:s3cret@example.org/c.png"
    found = image_model.predictions({"photo": [cell, png(3)]}, progress=False)
    (problem,) = [problem for problem in found.problems if problem.column == "photo"]
    assert "s3cret" not in str(problem)
    assert problem.value == "see -+https://example.org/a b.png;ftp://example.org/c.png"
