"""A folder of class folders is a table."""

import numpy as np
import pytest
from PIL import Image

import sensorium
from sensorium.errors import TableError
from sensorium.table import open_table


def picture(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((20, 20), grey, np.uint8)).save(path)


def test_class_folders_are_labels_and_their_files_are_modelled(tmp_path):
    random = np.random.default_rng(0)
    for number in range(40):
        picture(tmp_path / "dark" / f"{number}.png", int(random.integers(0, 100)))
        picture(tmp_path / "light" / "deeper" / f"{number}.png", int(random.integers(156, 256)))
    (tmp_path / ".cache").mkdir()
    (tmp_path / "dark" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "README.txt").write_text("beside the classes")
    table = open_table(tmp_path)
    assert table.columns == ["file", "label"]
    assert len(table) == 80
    model = sensorium.fit(tmp_path, "label", epochs=3, progress=False)
    assert model.columns == {"file": "image"}
    assert (model.predict(tmp_path) == table.column("label").data.to_numpy(False)).mean() > 0.9


def test_folders_above_the_classes_are_splits(tmp_path):
    for split in ("train", "Val", "test"):
        for label in ("cat", "dog"):
            picture(tmp_path / split / label / "1.png", 9)
    rows = open_table(tmp_path).arrow.to_pylist()
    assert rows[0] == {"file": "Val/cat/1.png", "label": "cat", "split": "Val"}
    assert sorted({row["split"] for row in rows}) == ["Val", "test", "train"]


def test_classes_that_are_called_like_splits_and_others_are_classes(tmp_path):
    for label in ("test", "exam"):
        picture(tmp_path / label / "1.png", 9)
    assert open_table(tmp_path).columns == ["file", "label"]


@pytest.mark.parametrize("inside", [[], ["1.png", "2.png"], ["only/1.png"], ["train/1.png", "test/1.png"]])
def test_other_folders_are_no_tables(inside, tmp_path):
    for name in inside:
        picture(tmp_path / name, 9)
    with pytest.raises(TableError, match="class folders"):
        open_table(tmp_path)


def test_a_link_does_not_lead_round_in_circles(tmp_path):
    for label in ("cat", "dog"):
        picture(tmp_path / label / "1.png", 9)
    (tmp_path / "cat" / "back").symlink_to(tmp_path)
    assert len(open_table(tmp_path)) == 2
