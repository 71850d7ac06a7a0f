"""Conformal predictors: limits against brute force, coverage, categories, groups, and what is saved."""

import math
from dataclasses import replace

import numpy as np
import pytest

from sensorium.conformal import EVERY, Conformal, Distribution, Nonconformity, Presence, find_regions, fit_conformal
from sensorium.errors import ArtifactError, ConfigError
from sensorium.metrics import Outcome

pytestmark = pytest.mark.unit
COVERAGES = (0.5, 0.8, 0.9, 0.95)


def probabilities(rows, classes=4, seed=0):
    """Calibrated probabilities float64[n, k], and a class that is drawn from them."""
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.full(classes, 0.4), rows)
    truth = (scores.cumsum(1) < random.random(rows)[:, None]).sum(1).clip(max=classes - 1)
    return scores, truth


def amounts(rows, seed=0):
    """Predictions, and true amounts whose error grows with them."""
    random = np.random.default_rng(seed)
    scores = random.uniform(1, 10, rows)
    return scores, scores + scores * random.normal(0, 0.3, rows)


def everywhere(rows):
    return Presence(("image", "text"), np.ones((rows, 2), bool))


def some(rows, seed=0):
    """A tenth of the rows has no text, and the last one no value."""
    there = np.ones((rows, 2), bool)
    there[np.random.default_rng(seed).random(rows) < 0.1, 1] = False
    there[-1] = False
    return Presence(("image", "text"), there)


def fitted(scores, truth, task="multiclass", presence=None, groups=None, **more):
    outcome = Outcome(truth, scores, truth).grouped(groups)
    return fit_conformal(outcome, task, presence or everywhere(len(truth)), **more)[""]


@pytest.mark.parametrize("rows", [9, 10, 57, 400])
@pytest.mark.parametrize("coverage", COVERAGES)
def test_limit_is_the_quantile_that_brute_force_finds(rows, coverage):
    scores = np.random.default_rng(rows).random(rows)
    rank = math.ceil((rows + 1) * coverage - 1e-9)
    found = Distribution.of(scores).limit(coverage)
    assert found == (np.sort(scores)[rank - 1] if rank <= rows else math.inf)


def test_stored_scores_are_bounded_and_never_lower_the_limit():
    scores = np.random.default_rng(0).random(20_000)
    found, exact = Distribution.of(scores), np.sort(scores)
    assert len(found.scores) == 1000 and found.rows == found.units == 20_000
    for coverage in COVERAGES:
        limit = exact[math.ceil(20_001 * coverage) - 1]
        assert limit <= found.limit(coverage) <= limit + 0.002


def test_rows_of_a_group_count_as_one():
    scores = np.random.default_rng(0).random(40)
    copied = Distribution.of(np.repeat(scores, 5), np.repeat(np.arange(40), 5))
    assert copied.units == 40
    assert [copied.limit(c) for c in COVERAGES] == [Distribution.of(scores).limit(c) for c in COVERAGES]
    uneven = np.concatenate([np.zeros(1000), np.ones(19)])  # one large group of easy rows says little about others
    groups = np.concatenate([np.zeros(1000, int), np.arange(1, 20)])
    assert Distribution.of(uneven, groups).limit(0.9) == 1
    assert Distribution.of(uneven).limit(0.9) == 0


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_sets_contain_the_classes_that_the_formula_names(method):
    scores, _ = probabilities(60)
    found = Nonconformity(method).of_each(scores)
    for row, each in zip(scores, found, strict=True):
        wanted = [1 - p if method == "lac" else row[row > p].sum() for p in row]
        assert np.allclose(each, wanted)


def test_sets_of_ordered_classes_have_no_gaps():
    scores, truth = probabilities(500, classes=6)
    own = fitted(scores, truth, "ordinal")
    sets = find_regions(own, scores, everywhere(500), 0.9, "all").sets
    assert (np.abs(np.diff(np.pad(sets.astype(int), ((0, 0), (1, 1))), axis=1)).sum(1) <= 2).all()
    gaps = Nonconformity("lac").of_each(scores) <= own.every.limit(0.9)
    assert (np.abs(np.diff(np.pad(gaps.astype(int), ((0, 0), (1, 1))), axis=1)).sum(1) > 2).any()


@pytest.mark.parametrize(
    ("task", "method"),
    [
        ("multiclass", "lac"),
        ("multiclass", "aps"),
        ("ordinal", "lac"),
        ("multilabel", "labels"),
        ("regression", "absolute"),
        ("regression", "normalized"),
        ("count", "absolute"),
    ],
)
def test_regions_cover_new_rows(task, method):
    def draw(seed):
        if task == "multilabel":
            scores = np.random.default_rng(seed).random((3000, 4))
            return scores, np.random.default_rng(seed + 9).random((3000, 4)) < scores
        if task in ("regression", "count"):
            scores, truth = amounts(3000, seed)
            return (scores, truth) if task == "regression" else (scores, truth.round().clip(min=0))
        return probabilities(3000, seed=seed)

    (scores, truth), (new, answers) = draw(1), draw(2)
    own = fitted(scores, truth, task, method=method)
    assert own.method == method
    regions = find_regions(own, new, everywhere(3000), 0.9, "all")
    covered = regions.contain(answers).mean()
    assert covered == pytest.approx(0.9, abs=0.025)  # three standard deviations of both samples
    assert regions.sizes.mean() > 0
    if task == "count":
        assert (regions.intervals == regions.intervals.round()).all() and regions.intervals.min() >= 0


def test_normalized_intervals_are_chosen_where_the_error_grows():
    scores, truth = amounts(1000)
    own = fitted(scores, truth, "regression")
    assert own.method == "normalized"
    widths = find_regions(own, np.array([2.0, 9.0]), everywhere(2), 0.9, "all").sizes
    assert widths[1] > 3 * widths[0]
    even = np.random.default_rng(3).normal(scores, 1)
    assert fitted(scores, even, "regression").method == "absolute"


def test_smaller_sets_are_chosen():
    assert fitted(*probabilities(1000)).method == "lac"


def test_each_subset_of_modalities_has_its_own_limit():
    """Rows without a text are of no use, so only their own limit covers them."""
    random = np.random.default_rng(0)
    truth, there = random.integers(0, 4, 4000), some(4000)
    right, wrong = np.eye(4)[truth] * 0.7 + 0.075, np.full((4000, 4), 0.25) + random.normal(0, 0.01, (4000, 4))
    scores = np.where(there.there[:, 1:], right, wrong)
    own, lacking = fitted(scores, truth, presence=there), np.flatnonzero(~there.there[:, 1])[:-1]
    for per, expected in (("modalities", 0.9), ("all", 0)):
        regions = find_regions(own, scores, there, 0.9, per)
        covered = regions.contain(truth)[lacking].mean()
        assert covered == pytest.approx(expected, abs=0.02) if expected else covered < 0.5
        assert [*regions.fallbacks] == ([("modalities", ())] if per == "modalities" else [])


def test_each_class_has_its_own_limit():
    scores, truth = probabilities(6000, classes=3)
    scores[:, 2] /= 3  # the last class gets too small a probability
    own = fitted(scores, truth, method="lac")
    sets = {per: find_regions(own, scores, everywhere(6000), 0.9, per).contain(truth) for per in ("all", "class")}
    assert sets["all"][truth == 2].mean() < 0.85
    assert [sets["class"][truth == k].mean() for k in range(3)] == pytest.approx([0.9] * 3, abs=0.005)


def test_category_with_too_few_rows_falls_back_to_all_rows():
    scores, truth = probabilities(300)
    there = everywhere(300)
    there.there[:8, 1] = False
    own = fitted(scores, truth, presence=there)
    assert own.distributions["modalities", ("image",)].units == 8
    regions = find_regions(own, scores, there, 0.9, "modalities")
    assert regions.fallbacks == {("modalities", ("image",)): 8}
    usual = find_regions(own, scores, there, 0.9, "all").sets
    assert (regions.sets[:8] == usual[:8]).all() and not regions.fallbacks.keys() & {EVERY}
    assert not find_regions(own, scores, there, 0.8, "modalities").fallbacks


def test_coverage_beyond_the_calibration_rows_is_an_error():
    own = fitted(*probabilities(30))
    with pytest.raises(ConfigError, match="the model has 30 calibration rows") as error:
        find_regions(own, np.full((1, 4), 0.25), everywhere(1), 0.99, "all")
    assert "99 rows or more" in error.value.rule and "up to 0.967" in error.value.cure
    assert find_regions(own, np.full((1, 4), 0.25), everywhere(1), 0.967, "all").sets.shape == (1, 4)


def test_no_rows_have_no_regions():
    own = fitted(*probabilities(50))
    for per in ("modalities", "class", "all"):
        assert find_regions(own, np.zeros((0, 4)), everywhere(0), 0.9, per).sets.shape == (0, 4)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_saved_predictor_is_restored(task):
    scores, truth = probabilities(300) if task == "multiclass" else amounts(300)
    own = fitted(scores, truth, task, presence=some(300), groups=np.arange(300) // 2)
    again = Conformal.restore(*own.state())
    for per in ("modalities", "all"):
        one, other = (find_regions(each, scores, some(300), 0.9, per) for each in (own, again))
        assert (one.sizes == other.sizes).all()
    assert again.distributions.keys() == own.distributions.keys()


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": np.array([0.2, 0.1, 0.3])},
        {"scores": np.array([0.1, 0.2, np.nan])},
        {"scores": np.array([0.1, 0.2, 3.0])},
        {"scores": np.array([-0.1, 0.2, 0.3])},
        {"scores": np.array([[0.1, 0.2, 0.3]])},
        {"scores": np.array([0.1, 0.2])},
        {"mass": np.array([1.0, 1.0, 3.0])},
        {"mass": np.array([0.0, 1.0, 3.0])},
        {"mass": np.array([1.0, 2.0, 9.0])},
        {"mass": np.array([1.0, 2.0, 2.5])},
        {"mass": np.array([1, 2, 3])},
        {"rows": [2]},
        {"rows": [0]},
        {"ends": [2]},
        {"ends": []},
        {"kinds": ["class"]},
        {"kinds": ["some"]},
        {"names": [["text"]]},
        {"labels": 0},
        {"labels": -1},
        {"method": "absolute"},
        {"method": "eval"},
        {"places": [1.0, 0.0], "errors": [1.0, 1.0]},
        {"errors": [0.0]},
        {"errors": []},
        {"more": 1},
    ],
    ids=str,
)
def test_forged_predictor_is_refused(changes):
    own = Conformal.of(Nonconformity("lac"), {EVERY: Distribution.of(np.array([0.1, 0.2, 0.3]))}, labels=3)
    json, arrays = own.state()
    forged = {**json, **arrays, **changes}
    arrays = {name: value for name, value in forged.items() if isinstance(value, np.ndarray)}
    with pytest.raises(ArtifactError):
        Conformal.restore({name: value for name, value in forged.items() if name not in arrays}, arrays)


def test_a_category_that_occurs_twice_is_refused():
    own = Conformal.of(Nonconformity("lac"), {EVERY: Distribution.of(np.array([0.1, 0.2]))}, labels=3)
    twice = replace(
        own,
        kinds=["all", "all"],
        names=[[], []],
        rows=[2, 2],
        ends=[2, 4],
        scores=np.tile(own.scores, 2),
        mass=np.tile(own.mass, 2),
    )
    with pytest.raises(ArtifactError, match="occurs twice"):
        Conformal.restore(*twice.state())


def test_intervals_are_those_of_crepes():
    crepes = pytest.importorskip("crepes")
    scores, truth = amounts(400)
    new, _ = amounts(100, seed=5)
    bins = np.arange(400) % 2
    there = Presence(("image", "text"), np.stack([np.ones(400, bool), bins == 1], 1))
    own = fitted(scores, truth, "regression", presence=there, method="absolute")
    for per in ("all", "modalities"):
        fit = {} if per == "all" else {"bins": bins}
        predictor = crepes.ConformalRegressor().fit(truth - scores, **fit)
        theirs = predictor.predict_int(new, confidence=0.9, **({} if per == "all" else {"bins": bins[:100]}))
        ours = find_regions(own, new, there.take(np.arange(100)), 0.9, per).intervals
        assert np.allclose(ours, theirs)
