"""Trees as plain arrays: equal to LightGBM's predictions, and safe to restore."""

from itertools import islice

import numpy as np
import pytest

from sensorium.baselines import Sample
from sensorium.baselines._forest import MAX_DEPTH, Forest
from sensorium.baselines.trees import ROUNDS, STEP, Trees
from sensorium.errors import ArtifactError

LEVELS = np.array([0, 0, 0, 60, 4])


def rows_of(random, count, missing):
    """Numbers with gaps, one without, codes of 60 levels and of 4."""
    found = random.normal(size=(count, 5)).astype(np.float32)
    found[random.random(found.shape) < missing] = np.nan
    found[:, 3], found[:, 4] = random.integers(0, 60, count), random.integers(0, 4, count)
    return found


def fitted(classes, rows=300, places=6):
    """Return a forest, rows that it has not seen, and what LightGBM predicts for them."""
    random = np.random.default_rng(0)
    known, asked = rows_of(random, rows, 0.1), rows_of(random, 200, 0.3)
    known[:, 2] = np.nan_to_num(known[:, 2])  # without gaps in training, but not in prediction
    known[:, 3] = np.minimum(known[:, 3], 40)  # the other codes are unseen
    signal = np.nan_to_num(known[:, 0]) + np.sin(known[:, 3]) + known[:, 2] + 0.2 * random.normal(size=rows)
    if classes:
        signal = np.digitize(signal, np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1]))
    outputs = classes if classes > 2 else 1
    path = Trees.path(Sample(known, LEVELS, signal, np.ones(rows), outputs, classes, 0, 1))
    *_, wanted = islice(path.steps(asked), places)
    return path.model(places - 1), asked, wanted


@pytest.fixture(scope="module")
def forest():
    return fitted(3, places=2)


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_predictions_equal_those_of_lightgbm(classes):
    found, asked, wanted = fitted(classes)
    assert (found.category >= 0).any() and len(found.roots) == 5 * STEP * max(1, classes if classes > 2 else 1)
    assert np.abs(found.raw(asked) - wanted).max() < 1e-6
    json, arrays = found.state()
    assert np.array_equal(Forest.restore(json, arrays).raw(asked), found.raw(asked))
    assert found.raw(asked[:0]).shape == (0, found.outputs)


def test_rows_are_independent_of_each_other(forest):
    found, asked, _ = forest
    whole = found.raw(asked)
    assert np.array_equal(whole[[7]], found.raw(asked[[7]]))


def test_an_earlier_place_has_the_first_trees():
    random = np.random.default_rng(0)
    known = rows_of(random, 200, 0.0)
    path = Trees.path(Sample(known, LEVELS, known[:, 0].astype(float), np.ones(200), 1, 0, 0, 1))
    stages = list(islice(path.steps(known), 3))
    for place in range(3):
        assert path.model(place).raw(known) == pytest.approx(stages[place], abs=1e-9)


def test_nothing_to_learn_gives_a_constant():
    known = np.zeros((40, 2), np.float32)
    path = Trees.path(Sample(known, np.zeros(2, int), np.arange(40.0), np.ones(40), 1, 0, 0, 1))
    stages = list(path.steps(known))
    assert len(stages) == 1 + ROUNDS // STEP
    for place in (0, 1):
        assert path.model(place).raw(known) == pytest.approx(np.full((40, 1), 19.5))
    one = Trees.path(Sample(known, np.zeros(2, int), np.zeros(40, int), np.ones(40), 0, 1, 0, 1))
    assert next(iter(one.steps(known))).shape == (40, 0) and one.model(0).raw(known).shape == (40, 0)


@pytest.mark.parametrize("classes", [0, 2, 5])
def test_the_first_place_is_a_constant(classes):
    random = np.random.default_rng(0)
    known, weights = rows_of(random, 60, 0.0), random.uniform(1, 2, 60)
    target = random.integers(0, max(1, classes), 60) if classes else random.normal(3, 1, 60)
    outputs = classes if classes > 2 else 1
    path = Trees.path(Sample(known, LEVELS, target, weights, outputs, classes, 0, 1))
    raw = next(iter(path.steps(known)))
    assert path.model(0).raw(known) == pytest.approx(raw) and (raw == raw[0]).all()
    path.model(0).check()
    if not classes:
        assert raw[0, 0] == pytest.approx(target.mean())
    elif classes > 2:
        shares = np.bincount(target, weights) / weights.sum()
        assert np.exp(raw[0]) / np.exp(raw[0]).sum() == pytest.approx(shares)
    else:
        assert 1 / (1 + np.exp(-raw[0, 0])) == pytest.approx(weights[target == 1].sum() / weights.sum())


@pytest.mark.unit
def test_numbers_at_the_threshold_and_missing_ones():
    stump = Forest(
        count=1, features_count=1, roots=np.zeros(1, np.int32), feature=np.zeros(3, np.int32),
        threshold=np.array([0.5, 0, 0]), left=np.array([1, 1, 2], np.int32), right=np.array([2, 1, 2], np.int32),
        missing_left=np.array([False, False, False]), category=np.full(3, -1, np.int32),
        sets=np.zeros((0, 32), np.uint8), value=np.array([0.0, -1.0, 1.0]),
    )  # fmt: skip
    stump.check()
    asked = np.array([[0.5], [0.6], [np.nan], [np.inf], [-np.inf]], np.float32)
    assert stump.raw(asked)[:, 0].tolist() == [-1, 1, 1, 1, -1]


def changed(array, place, value):
    found = array.copy()
    found[place] = value
    return found


FORGED = {
    "feature out of range": lambda f: {"feature": changed(f.feature, 0, 99)},
    "negative feature": lambda f: {"feature": changed(f.feature, 0, -1)},
    "cycle": lambda f: {"left": changed(f.left, 1, 0)},
    "child of another tree": lambda f: {"left": changed(f.left, 0, f.roots[1])},
    "child out of range": lambda f: {"right": changed(f.right, 0, 10**6)},
    "two parents": lambda f: {"left": changed(f.left, 0, f.right[0])},
    "leaf with a child": lambda f: {"right": changed(f.right, len(f.right) - 1, 0)},
    "root out of order": lambda f: {"roots": changed(f.roots, 0, 1)},
    "root out of range": lambda f: {"roots": changed(f.roots, -1, 10**6)},
    "fewer trees": lambda f: {"roots": f.roots[:-1]},
    "no trees": lambda f: {"roots": f.roots[:0]},
    "set out of range": lambda f: {"category": changed(f.category, 0, 10**6)},
    "negative set": lambda f: {"category": changed(f.category, 0, -2)},
    "no sets": lambda f: {"sets": f.sets[:0]},
    "narrow sets": lambda f: {"sets": f.sets[:, :4]},
    "not a number": lambda f: {"value": changed(f.value, 0, np.nan)},
    "infinite": lambda f: {"threshold": changed(f.threshold, 0, np.inf)},
    "fewer values": lambda f: {"value": f.value[:-1]},
    "floats for nodes": lambda f: {"left": f.left.astype(np.float64)},
    "two axes": lambda f: {"feature": f.feature[:, None]},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_trees_are_refused(forge, forest):
    json, arrays = forest[0].state()
    with pytest.raises(ArtifactError):
        Forest.restore(json, arrays | forge(forest[0]))


@pytest.mark.parametrize("json", [{"count": 0}, {"count": 7}, {"count": -1}, {"features_count": 1}, {"count": 10**9}])
def test_forged_sizes_are_refused(json, forest):
    saved, arrays = forest[0].state()
    with pytest.raises(ArtifactError):
        Forest.restore(saved | json, arrays)


@pytest.mark.unit
def test_a_tree_that_is_too_deep_is_refused():
    size = 2 * MAX_DEPTH + 3
    own = np.arange(size, dtype=np.int32)
    inner = (own % 2 == 0) & (own < size - 1)  # 0 → (1, 2), 2 → (3, 4) …
    arrays = {
        "roots": np.zeros(1, np.int32), "feature": np.zeros(size, np.int32), "threshold": np.zeros(size),
        "left": np.where(inner, own + 1, own), "right": np.where(inner, own + 2, own),
        "missing_left": np.zeros(size, bool), "category": np.full(size, -1, np.int32),
        "sets": np.zeros((0, 32), np.uint8), "value": np.zeros(size),
    }  # fmt: skip
    with pytest.raises(ArtifactError, match="deeper"):
        Forest.restore({"count": 1, "features_count": 1}, arrays)
