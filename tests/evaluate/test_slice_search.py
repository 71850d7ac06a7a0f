"""The search finds slices with a higher loss, and says nothing where there is none."""

import numpy as np
import pytest

from sensorium.evaluate.slices import (
    cluster_rows,
    compare_slices,
    cut_numbers,
    cut_values,
    describe_clusters,
    list_candidates,
    row_losses,
    search_slices,
    worst_slices,
)
from sensorium.metrics import Outcome, Part

pytestmark = pytest.mark.unit
ROWS = 400


def cuts(seed=0, rows=ROWS):
    random = np.random.default_rng(seed)
    columns = [cut_values(name, random.choice(list("abc"), rows).tolist()) for name in ("site", "sex", "kind")]
    return [*columns, cut_numbers("age", random.normal(50, 15, rows))]


def losses(worse, seed=1):
    random = np.random.default_rng(seed)
    return random.exponential(np.where(worse, 1.5, 0.5))


def test_the_planted_slice_is_found_and_not_its_parts():
    columns = cuts()
    worse = columns[0].rows[0]
    found = worst_slices(list_candidates(columns, None, ROWS), losses(worse))
    assert found[0].name == (("site",), (columns[0].values[0],))
    assert found[0].p == pytest.approx(1 / 1001)
    assert found[0].loss > 2 * found[0].elsewhere
    assert (found[0].rows == worse).all() and found[0].tested == worse.sum()
    assert len(found) == 2 and found[1].p >= 0.05  # its overlaps with other slices are not reported


def test_a_slice_of_two_columns_is_found():
    columns = cuts(rows=1000)
    worse = columns[0].rows[1] & columns[3].rows[2]
    found = worst_slices(list_candidates(columns, None, 1000), losses(worse))
    assert found[0].name == (("site", "age"), (columns[0].values[1], columns[3].values[2]))


def test_several_slices_are_found_one_after_another():
    columns = cuts(rows=1000)
    first, second = columns[0].rows[0], columns[1].rows[1]
    found = worst_slices(list_candidates(columns, None, 1000), losses(first | second))
    assert {name for own in found[:2] for name in own.name[0]} == {"site", "sex"}
    assert (found[1].tested < found[1].rows.sum()) and found[1].p < 0.05


def test_nothing_is_found_where_losses_do_not_depend_on_the_columns():
    candidates = list_candidates(cuts(), None, ROWS)
    tested = worst_slices(candidates, losses(np.zeros(ROWS, bool)))
    assert len(tested) == 1 and tested[0].p >= 0.05


def test_slices_are_neither_too_small_nor_more_than_half_of_the_rows():
    candidates = list_candidates(cuts(), None, ROWS)
    counts = candidates.rows.sum(1)
    assert candidates.least == 30 and counts.min() >= 30 and counts.max() <= ROWS / 2
    assert {len(columns) for columns, _ in candidates.names} == {1, 2}
    groups = np.arange(ROWS) // 50  # 8 groups
    assert len(list_candidates(cuts(), groups, ROWS)) == 0
    assert len(list_candidates(cuts(), None, 29)) == 0


def test_statistic_is_that_of_welch_and_the_same_seed_gives_the_same_p_values():
    candidates, own = list_candidates(cuts(), None, ROWS), losses(np.zeros(ROWS, bool))
    test = compare_slices(candidates.rows, own)
    inside = candidates.rows[[3]].toarray()[0] > 0
    sides = own[inside], own[~inside]
    error = np.sqrt(sum(side.var(ddof=1) / len(side) for side in sides))
    assert test.statistics[3] == pytest.approx((sides[0].mean() - sides[1].mean()) / error)
    assert (compare_slices(candidates.rows, own).p == test.p).all()


def test_rows_of_a_group_count_once():
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(60), 20)
    of_groups = random.exponential(size=60)[groups]  # losses vary between groups only
    site = cut_values("site", random.choice(list("ab"), 60)[groups].tolist())
    candidates = list_candidates([site], groups, len(groups))
    rows = candidates.rows
    assert compare_slices(rows, of_groups, None).p.min() < 0.05 <= compare_slices(rows, of_groups, groups).p.min()
    worse = of_groups + 2 * site.rows[1]
    assert compare_slices(rows, worse, groups).p.min() < 0.05


def test_result_has_the_metrics_of_the_slice():
    columns = cuts()
    worse = columns[0].rows[0]
    truth = np.random.default_rng(0).integers(0, 2, ROWS)
    right = np.where(worse, 0.4, 0.9)
    scores = np.where(np.eye(2, dtype=bool)[truth], right[:, None], 1 - right[:, None])
    outcome = Outcome(truth, scores, scores.argmax(1))
    found = search_slices(outcome, columns, ["accuracy"], "accuracy")
    assert found.loss == "log loss" and found.columns == ["site", "sex", "kind", "age"]
    assert found.found[0].slice.metrics == {"accuracy": 0.0}
    assert found.found[0].loss == pytest.approx(-np.log(0.4))
    assert found.to_json()["found"][0]["value"] == [columns[0].values[0]]


def test_losses_of_amounts_and_of_several_targets():
    truth, scores = np.array([1.0, 2.0, 4.0]), np.array([1.0, 4.0, 3.0])
    amounts = Outcome(truth, scores, scores)
    assert row_losses(amounts).tolist() == [0, 4, 1]
    known = np.array([True, True, False])
    both = Outcome(truth, scores, scores, {name: Part("regression", "r2", known, amounts) for name in "ab"})
    assert row_losses(both).tolist() == [0, 2, 0]  # of each target, relative to its mean


def test_clusters_are_those_of_the_features_and_words_describe_them():
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, 250)
    features = (kind[:, None] * 8 + random.normal(size=(250, 5))).astype(np.float32)
    features[0] = np.nan
    codes, distances = cluster_rows(features, np.isfinite(features).all(1))
    assert codes[0] == -1 and codes.max() == 3
    assert all(len({*kind[codes == code]}) == 1 for code in range(4))
    texts = [f"{'rash' if own else 'cough'} since day {row}" for row, own in enumerate(kind)]
    names = describe_clusters(codes, distances, np.arange(250), texts)
    assert all(("rash" if kind[codes == code][0] else "cough") in name for code, name in enumerate(names))
    central = describe_clusters(codes, distances, np.arange(250))[2].split("rows ")[1]
    assert (codes[[int(row) for row in central.split(", ")[:3]]] == 2).all()


def test_too_few_rows_are_not_clustered():
    codes, _ = cluster_rows(np.zeros((100, 3), np.float32), np.ones(100, bool))
    assert (codes == -1).all() and describe_clusters(codes, np.zeros(100), np.arange(100)) == []
