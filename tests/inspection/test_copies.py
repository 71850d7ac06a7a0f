"""Rows that are the same or nearly the same are found, above all across splits; others are not."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

import sensorium
from sensorium.inspection import search
from sensorium.inspection.near import WINDOW, near_groups, near_pictures, near_texts
from sensorium.report import inspection_text
from sensorium.report.inspection_page import inspection_page
from sensorium.testing.contents import WORDS

PARTS = ["train", "train", "train", "validation", "test"]


@pytest.fixture
def random():
    return np.random.default_rng(0)


def sentences(random, rows):
    return [" ".join(random.choice(WORDS, 14)) + f" {random.integers(10**9)}" for _ in range(rows)]


def scene(random, size=80):
    """A smooth picture, as photographs are."""
    coarse = random.integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def save(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def found(table, target=None, **config):
    inspected = sensorium.inspect(table, target, config=config)
    return {(c.column, c.kind): c for c in inspected.copies}


@pytest.mark.unit
def test_the_same_text_in_train_and_test_is_told_with_its_rows(random):
    texts = sentences(random, 50)
    texts[4] = texts[9] = texts[0]  # rows 4 and 9 test, row 0 trains
    told = found({"text": texts, "split": PARTS * 10, "y": [0, 1] * 25}, "y")["text", "same"]
    assert (told.rows, told.groups) == (3, 1)
    assert told.across == [{"rows": 2, "of": "test", "also_in": "train"}]
    assert told.listed == [{"rows": [0, 4, 9], "size": 3, "splits": {"train": 1, "test": 2}}]
    assert told.differ == 1  # row 9 has another label
    assert "2 test rows also in train" in str(told)


@pytest.mark.unit
def test_a_text_with_a_word_changed_is_nearly_the_same(random):
    texts = sentences(random, 50)
    texts[14] = texts[2].upper().replace(" ", "  ") + " more"
    told = found({"text": texts, "split": PARTS * 10})
    assert ("text", "same") not in told
    assert told["text", "near"].listed[0]["rows"] == [2, 14]
    assert told["text", "near"].across == [{"rows": 1, "of": "test", "also_in": "train"}]


@pytest.mark.unit
def test_files_of_the_same_bytes_are_found_whatever_they_are_called(random, tmp_path):
    for row in range(20):
        (tmp_path / f"{row}.png").write_bytes(save(scene(random)))
    (tmp_path / "7.png").write_bytes((tmp_path / "3.png").read_bytes())
    (tmp_path / "12.png").unlink()
    (tmp_path / "13.png").unlink()  # two that are not there are no copies
    lines = [f"{row}.png,{row % 2}" for row in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(["image,y", *lines]))
    told = found(tmp_path / "t.csv")
    assert told["image", "same"].listed[0]["rows"] == [3, 7]
    assert told["image", "same"].looked_at == 18
    assert ("image", "near") not in told


@pytest.mark.unit
def test_a_picture_saved_smaller_and_with_loss_is_nearly_the_same(random):
    pictures = [scene(random) for _ in range(40)]
    cells = [save(picture) for picture in pictures]
    cells[21] = save(pictures[5].resize((50, 50)), "JPEG", quality=40)
    told = found({"image": cells, "x": random.normal(size=40)})
    assert [group["rows"] for group in told["image", "near"].listed] == [[5, 21]]


@pytest.mark.unit
def test_the_same_sound_is_found(random):
    import soundfile

    cells = []
    for _ in range(12):
        stream = io.BytesIO()
        soundfile.write(stream, random.normal(0, 0.1, 400), 8000, format="WAV")
        cells.append(stream.getvalue())
    cells[11] = cells[1]
    assert found({"audio": cells})["audio", "same"].listed[0]["rows"] == [1, 11]


@pytest.mark.unit
def test_rows_that_agree_in_all_columns_are_found_unless_most_do(random):
    numbers = random.normal(size=60)
    numbers[44] = numbers[3]
    table = {"a": numbers, "b": np.where(np.arange(60) == 44, numbers[3] > 0, numbers > 0), "y": [0, 1] * 30}
    assert found(table, "y")["", "same"].listed[0]["rows"] == [3, 44]
    assert ("", "same") not in found({"a": ["x", "y", "z"] * 20, "y": [0, 1] * 30}, "y")


def test_ordinary_tables_raise_no_alarm(made):
    assert sensorium.inspect(made, "label").copies == []


@pytest.mark.unit
def test_without_a_target_or_split_copies_are_still_found(random):
    texts = sentences(random, 30)
    texts[29] = texts[0]
    told = found({"text": texts})["text", "same"]
    assert (told.rows, told.across, told.differ) == (2, [], 0)


@pytest.mark.unit
def test_what_is_too_much_is_left_out_and_told(random, monkeypatch):
    monkeypatch.setattr(search, "MOST_TEXTS", 10)
    told = found({"text": sentences(random, 50)})["text", "near"]
    assert (told.looked_at, told.left_out) == (10, 40)
    assert "40 rows not compared" in str(told)


@pytest.mark.unit
def test_files_that_are_too_many_are_told(random, monkeypatch):
    monkeypatch.setattr(search, "MOST_FILES", 6)
    told = found({"image": [save(scene(random)) for _ in range(8)], "x": random.normal(size=8)})["image", "same"]
    assert (told.looked_at, told.left_out, told.groups) == (6, 2, 0)


@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_texts_can_be_compared_and_each_is_like_itself(texts):
    groups = near_texts([*texts, *texts])
    assert (groups[: len(texts)] == groups[len(texts) :]).all()


@pytest.mark.unit
def test_pictures_of_one_colour_are_like_no_other():
    plain = np.stack([np.full((32, 32), grey, np.uint8) for grey in (0, 0, 128, 255)])
    assert len(set(near_pictures(plain).tolist())) == 4


@pytest.mark.unit
def test_groups_are_not_chained(random):
    """Of pictures that fade from one into another, the ends are not said to be alike."""
    first, last = (np.asarray(scene(random, 32).convert("L"), np.float64) for _ in range(2))
    fading = np.stack([first + (last - first) * i / 60 for i in range(61)]).round().astype(np.uint8)
    groups = near_pictures(fading)
    assert groups[0] == groups[1] != groups[60]


@pytest.mark.unit
def test_pairs_compared_grow_with_rows_and_not_with_their_square():
    """However many share a key, each is compared with a few."""
    compared = []

    def alike(one, other):
        compared.append(len(one))
        return np.ones(len(one), bool)

    groups = near_groups(np.zeros((5000, 2), np.uint64), alike)
    assert sum(compared) <= 5000 * 2 * WINDOW
    assert np.bincount(groups).max() == WINDOW + 1


def test_damaged_files_are_no_duplicates_and_counted_as_undecodable(random, tmp_path):
    for row in range(20):
        (tmp_path / f"{row}.png").write_bytes(b"no picture" if row < 6 else save(scene(random)))
    (tmp_path / "19.png").write_bytes((tmp_path / "18.png").read_bytes())
    table = tmp_path / "table.csv"
    table.write_text("photo,x,y\n" + "".join(f"{row}.png,{row * 7},{row % 2}\n" for row in range(20)))
    inspected = sensorium.inspect(table, "y")
    (same,) = [copies for copies in inspected.copies if (copies.column, copies.kind) == ("photo", "same")]
    assert (same.rows, same.listed[0]["rows"]) == (2, [18, 19])
    (photo,) = [column for column in inspected.columns if column.name == "photo"]
    assert (photo.missing, photo.undecodable) == (0, 6)
    with io.StringIO() as stream:
        Console(file=stream, width=200).print(inspection_text(inspected))
        assert "0; 6 of 20 undecodable" in stream.getvalue()
    assert "0; 6 of 20 undecodable" in inspection_page(inspected)
