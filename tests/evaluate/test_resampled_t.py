"""The corrected resampled t-test of Nadeau and Bengio, by hand and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from sensorium.evaluate import FoldSizes, compare_folds, mean_of_folds
from sensorium.evaluate.resampled_t import fold_interval, quantile_t, two_sided_p

pytestmark = pytest.mark.unit

FIVE = FoldSizes(ratio=0.25, test_rows=20)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 10, 49])
def test_student_s_t_is_that_of_scipy(freedom):
    for t in (0.0, 0.3, 1.0, 2.5, 12.0):
        assert 1 - two_sided_p(t, freedom) / 2 == pytest.approx(stats.t.cdf(t, freedom), abs=1e-12)
    assert quantile_t(0.95, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_a_difference_computed_by_hand():
    """Gains .02 .04 .06 .08 .10: mean .06, s² .001; error √(.001 · (1/5 + 1/4)) = .0212132; t(4) = 2.776445."""
    first, second = [0.72, 0.74, 0.76, 0.78, 0.80], [0.70] * 5
    found = compare_folds(first, second, "accuracy", FIVE)
    assert (found.metric, found.value) == ("accuracy", pytest.approx(0.06))
    assert found.interval == pytest.approx((0.06 - 2.776445 * 0.0212132, 0.06 + 2.776445 * 0.0212132), abs=1e-6)
    assert found.p == pytest.approx(2 * stats.t.sf(0.06 / 0.0212132, 4), rel=1e-4)
    uncorrected = stats.ttest_rel(first, second).pvalue
    assert found.p > uncorrected, "overlapping training rows make folds dependent"


def test_a_lower_error_is_a_gain():
    found = compare_folds([1.0, 1.2, 1.1], [2.0, 2.1, 2.2], "rmse", FIVE)
    assert found.value == pytest.approx(1.0) and found.helps


def test_an_interval_of_a_metric_holds_possible_values_only():
    low, high = fold_interval("accuracy", [0.9, 1.0, 0.95, 1.0, 1.0], FIVE)
    assert low < 0.97 < high == 1.0
    assert fold_interval("rmse", [0.1, 2.0, 0.1], FIVE)[0] == 0.0
    assert fold_interval("recall", [0.0, 0.9], FIVE) == (0.0, 1.0)
    assert fold_interval("mcc", [0.0, 0.9], FIVE) == (-1.0, 1.0)
    assert fold_interval("ece", [0.1, 0.9], FIVE) == (0.0, 1.0)
    assert fold_interval("r2", [0.1, 0.9], FIVE)[0] < -1.0


def test_equal_folds_are_known_to_the_nearest_row_only():
    """Two folds of ten rows in which one model is right once more: no proof, though the gains do not vary."""
    few, many = FoldSizes(1.0, 10), FoldSizes(0.11, 1000)
    assert not compare_folds([0.6, 0.6], [0.5, 0.5], "accuracy", few).helps
    assert compare_folds([0.6] * 10, [0.5] * 10, "accuracy", many).helps
    same = compare_folds([0.6] * 5, [0.6] * 5, "accuracy", FIVE)
    assert same.value == 0 and same.p == 1 and not same.helps


def test_folds_in_which_a_metric_is_not_defined_do_not_count():
    nan = float("nan")
    assert mean_of_folds([0.5, nan, 0.7]) == pytest.approx(0.6)
    assert np.isnan(mean_of_folds([0.5, nan, nan]))
    assert compare_folds([0.5, nan, 0.7], [0.4, 0.4, 0.5], "roc_auc", FIVE).value == pytest.approx(0.15)
    assert compare_folds([0.5, nan, nan], [0.4] * 3, "roc_auc", FIVE).undefined
    assert compare_folds([0.5, nan], [0.4] * 2, "roc_auc", FIVE).undefined, "one fold has no variance"


def test_sizes_are_means_over_folds():
    assert FoldSizes.of([80, 60], [20, 30]) == FoldSizes(ratio=0.375, test_rows=25.0)


def test_claims_of_models_that_are_equally_good_are_rare():
    """Gains of folds correlate by n_test / (n_train + n_test), which the correction assumes."""
    random, claims, draws = np.random.default_rng(0), 0, 2000
    sizes = FoldSizes.of([90] * 10, [10] * 10)
    shared, own = random.normal(size=(draws, 1)), random.normal(size=(draws, 10))
    gains = np.sqrt(0.1) * shared + np.sqrt(0.9) * own
    for gain in gains:
        p = compare_folds(gain, np.zeros(10), "accuracy", sizes).p
        claims += p < 0.05
    assert 0.03 < claims / draws < 0.07
