"""The fixed recipes of `benchmarks/baselines.py`: they learn what can be learned, from the training rows alone."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from _cell_statistics import statistics

import baselines
from baselines import RECIPES, Job, inner_folds, loss, read_columns

KINDS = {"text": "text", "shop": "category", "price": "number"}


def table(rows=240, seed=0):
    """A class by its words, shop and price, each of which misleads in some rows."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 3, rows)
    misled = [np.where(random.random(rows) < 0.3, random.integers(0, 3, rows), label) for _ in range(3)]
    words = [["red rose", "blue sea", "green leaf"][code] + f" w{random.integers(40)}" for code in misled[0]]
    shops = np.array(["north", "south", None], object)[misled[1]]
    prices = np.exp(misled[2] + random.normal(0, 0.5, rows))
    prices[::17] = np.nan
    return pd.DataFrame({"text": words, "shop": shops, "price": prices}), label


def job(seed=0, **given):
    cells, label = table(seed=seed)
    frame, kinds = read_columns(cells, KINDS, Path())
    train = np.arange(160)
    return Job(**{"frame": frame, "kinds": kinds, "train": train, "target": label[train], "classes": 3, **given}), label


def recipe(name):
    if name == "trees":
        pytest.importorskip("lightgbm")
    return RECIPES[name]


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_recipes_beat_the_constant_on_a_learnable_table(name):
    asked, label = job()
    rows = np.arange(160, 240)
    found, usual = (RECIPES["constant"](asked), recipe(name)(asked))
    assert usual.shape == found.shape == (240, 3)
    np.testing.assert_allclose(usual.sum(1), 1)
    assert loss(label[rows], usual[rows], 3) < 0.7 * loss(label[rows], found[rows], 3)
    assert (usual[rows].argmax(1) == label[rows]).mean() > 0.7


@pytest.mark.parametrize("name", ["linear", "trees"])
def test_recipes_predict_a_skewed_amount_on_its_own_scale(name):
    cells, label = table()
    frame, kinds = read_columns(cells, KINDS, Path())
    amount = np.exp(2.0 * label + np.random.default_rng(1).normal(0, 0.7, len(label)))
    train, rows = np.arange(160), np.arange(160, 240)
    assert baselines.is_skewed(amount[train])
    found = recipe(name)(Job(frame, kinds, train, amount[train], 0))
    assert ((np.log(found[rows]) - np.log(amount[rows])) ** 2).mean() < 0.7 * np.log(amount[rows]).var()
    if name == "linear":
        assert amount[train].min() - 1e-9 <= found.min() and found.max() <= amount[train].max() + 1e-9


def test_strength_is_chosen_where_the_inner_folds_say_so(monkeypatch):
    """With labels of pure chance, the strongest regularisation is best."""
    asked, _ = job(target=np.random.default_rng(5).integers(0, 3, 160))
    strong = RECIPES["linear"](asked)
    monkeypatch.setattr(baselines, "STRENGTHS", baselines.STRENGTHS[-1:])
    weak = RECIPES["linear"](asked)
    assert strong.std() < 0.2 * weak.std()


@pytest.mark.parametrize("classes", [0, 3])
def test_groups_never_straddle_inner_folds(classes):
    groups = np.random.default_rng(0).integers(0, 30, 160)
    asked, _ = job(groups=groups, classes=classes)
    judged = []
    for learn, judge in inner_folds(asked):
        assert not {*groups[learn]} & {*groups[judge]}
        assert sorted([*learn, *judge]) == list(range(160))
        judged += [*judge]
    assert sorted(judged) == list(range(160))


def test_inner_folds_have_all_classes():
    label = np.array([0] * 140 + [1] * 10 + [2] * 10)
    asked, _ = job(target=label)
    assert all({*label[judge]} == {0, 1, 2} for _, judge in inner_folds(asked))


def test_inner_folds_of_ordered_groups_judge_later_rows():
    days = np.random.default_rng(0).integers(0, 50, 160)
    asked, _ = job(groups=days, ordered=True)
    folds = list(inner_folds(asked))
    assert len(folds) == 5
    assert all(len(learn) and len(judge) and days[learn].max() < days[judge].min() for learn, judge in folds)


def test_trees_say_that_lightgbm_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ModuleNotFoundError, match="not installed: recipe trees needs LightGBM"):
        RECIPES["trees"](job()[0])


def test_texts_without_a_repeated_word_and_unseen_categories_are_left_out():
    cells = pd.DataFrame({"name": [f"n{row}" for row in range(60)], "shop": ["a", "b"] * 25 + ["c"] * 10})
    frame, kinds = read_columns(cells, {"name": "text", "shop": "category"}, Path())
    target = np.array([0, 1] * 25)
    found = RECIPES["linear"](Job(frame, kinds, np.arange(50), target, 2))
    assert (found[:50].argmax(1) == target).all()
    np.testing.assert_allclose(found[50:], 0.5, atol=0.05)


def test_logarithm_is_taken_of_skewed_columns_without_negative_values():
    skewed = np.array([1.0, 2, 3, 1000, np.nan])
    columns = np.column_stack([skewed, -skewed, np.arange(5.0)])
    found = baselines.LogOfSkewed().fit_transform(columns)
    np.testing.assert_allclose(found, np.column_stack([np.log1p(skewed), -skewed, np.arange(5.0)]))


def test_dates_are_days_and_missing_cells_are_kept():
    cells = pd.DataFrame({"day": ["1970-01-11", None], "text": [None, "a b"], "shop": ["x", None]})
    frame, kinds = read_columns(cells, {"day": "date", "text": "text", "shop": "category"}, Path())
    assert kinds == {"day": "number", "text": "text", "shop": "category"}
    assert frame["day"].tolist()[0] == 10 and np.isnan(frame["day"][1])
    assert frame["text"].tolist() == ["", "a b"] and frame["shop"].tolist() == ["x", "missing"]


def test_statistics_of_images(tmp_path):
    Image.new("RGB", (40, 20), "white").save(tmp_path / "white.png")
    Image.new("RGBA", (40, 20), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("L", (40, 20), 51).save(tmp_path / "grey.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    found = statistics("image", ["white.png", "clear.png", "grey.png", "broken.png", None], tmp_path)
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0, :3].tolist() == [40, 20, 2]
    np.testing.assert_allclose(found[0, 3:67], 1)
    np.testing.assert_allclose(found[2, 3:67], 0.2)
    assert np.isnan(found[3:]).all()


def test_statistics_of_audio(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    wave = 0.05 * np.sin(np.arange(8000) * 0.3)
    for name, factor in (("quiet.wav", 1), ("loud.wav", 10)):
        soundfile.write(tmp_path / name, factor * wave, 8000, subtype="DOUBLE")
    quiet, loud = statistics("audio", ["quiet.wav", "loud.wav"], tmp_path)
    assert quiet[0] == loud[0] == 1 and quiet[2] == loud[2]
    assert loud[1] == pytest.approx(10 * quiet[1])
    band = quiet[3:23].argmax()
    assert loud[3:23].argmax() == band and loud[3 + band] - quiet[3 + band] == pytest.approx(np.log(100), abs=1e-3)


def test_statistics_of_series():
    found = statistics("series", [[0.0, 1, 2, 3, 4], [4.0, 3, 2, 1, 0], [1.0], None], Path())
    assert found[0, :3].tolist() == [5, 2, pytest.approx(np.sqrt(2))]
    assert found[0, 5:10].tolist() == pytest.approx([0, 4, 0, 4, 2])
    assert found[1, 9] == pytest.approx(-2)
    assert np.isnan(found[2:]).all()


def test_statistics_of_scans(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    voxels = np.zeros((8, 10, 12), np.float32)
    voxels[:4] = 100
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "half.nii.gz")
    found = statistics("scan", ["half.nii.gz"], tmp_path)[0]
    assert found[:4].tolist() == [8, 10, 12, 960]
    assert found[4:10].tolist() == [0.5, 0.5, 0.5, 480, 480, 480]
