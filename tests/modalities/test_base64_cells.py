"""Files in base64 without the prefix of a data URL are read like data URLs."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium import registry
from sensorium.modalities import Ragged
from sensorium.table import open_table
from sensorium.testing import make_table

KINDS = ["image", "audio", "video", "scan", "document"]
LABELS = ["dark", "light"] * 20


def text(content):
    return base64.b64encode(content).decode()


def image(value, form="PNG", size=8):
    stream = io.BytesIO()
    Image.fromarray(np.full((size, size, 3), value, np.uint8)).save(stream, form)
    return stream.getvalue()


def column(cells):
    return open_table({"c": cells, "row": list(range(len(cells)))}).column("c")


def plan_of(cells, **more):
    found = sensorium.inspect({"c": cells, "y": ["a", "b"] * (len(cells) // 2)}, "y", **more)
    return next(plan for plan in found.columns if plan.name == "c")


@pytest.mark.parametrize("kind", KINDS)
def test_base64_gives_the_file_that_it_holds(kind, tmp_path):
    table = open_table(make_table(tmp_path, rows=12, modalities=[kind]))
    (name,) = [column for column in table.columns if column not in ("label", "split")]
    on_disk = table.column(name)
    cells = [text((tmp_path / cell).read_bytes()) for cell in on_disk.data.to_pylist()]
    plan = plan_of(cells)
    assert (plan.modality, "base64" in plan.reason) == (kind, True)
    learn = registry.modalities.entries[kind].load().learn
    expected, held = learn(on_disk).encode(on_disk), learn(column(cells)).encode(column(cells))
    assert held.present.all() and not held.problems
    for one, other in zip(arrays(expected), arrays(held), strict=True):
        assert np.array_equal(one, other)


def arrays(encoded):
    values = encoded.values
    return [values.values, values.offsets] if isinstance(values, Ragged) else [values]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_formats_of_images(form):
    cells = [text(image(value, form)) for value in range(0, 240, 12)]
    assert plan_of(cells).modality == "image"


@pytest.fixture(scope="module")
def model():
    table = {"photo": [text(image(value)) for value in range(40)], "y": LABELS}
    found = sensorium.fit(table, "y", epochs=1, width=8, progress=False)
    assert found.columns == {"photo": "image"}
    return found


def test_spellings(model):
    content = image(77)
    digits = text(content)
    cells = [
        digits,
        digits.rstrip("="),
        f" {digits}\n",
        base64.urlsafe_b64encode(content).decode(),
        "\n".join(digits[k : k + 60] for k in range(0, len(digits), 60)),
        f"data:image/png;base64,{digits}",
    ]
    found = model.predictions({"photo": cells})
    assert not found.problems
    np.testing.assert_allclose(found.scores, found.scores[:1].repeat(len(cells), 0), atol=1e-6)


BROKEN = {
    text(image(1, size=64))[:120]: "damaged",
    text(image(1, size=256))[:501] + "!" + text(image(1, size=256))[502:]: "not valid",
    text(b"no known kind of file, but a long text in the digits of base64"): "no known kind",
    text(b"%PDF-1.4 and so on, which is not an image, whatever the column"): "not an image",
    "photo.png": "does not exist",
}


@pytest.mark.parametrize("cell", BROKEN)
def test_a_broken_cell_is_a_problem_with_the_reason(cell, model):
    found = model.predictions({"photo": [text(image(3)), cell]})
    assert found.present["photo"].tolist() == [True, False]
    (problem,) = [problem for problem in found.problems if problem.column == "photo"]
    assert problem.row == 1 and BROKEN[cell] in problem.reason and problem.reason.endswith("read as missing")
    assert len(problem.value) <= 100


def test_a_broken_cell_does_not_change_the_modality():
    cells = [text(image(value)) for value in range(39)]
    assert plan_of([*cells, "iVBORw0KGgo not base64 at all"]).modality == "image"


def test_base64_of_other_things_stays_text():
    random = np.random.default_rng(0)
    tokens = [text(random.bytes(60)) for _ in range(40)]
    assert plan_of(tokens).modality != "image"
    words = [f"R0lGOD and {value} words that begin like the base64 of a GIF file" for value in range(40)]
    assert plan_of(words).modality != "image"
