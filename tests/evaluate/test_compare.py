"""Is one model better than another? Paired on the same rows, and not called so by chance."""

import math

import numpy as np
import pytest
from outcomes import ONE_CLASS, outcome

from sensorium.evaluate import (
    Difference,
    ModelName,
    Verdict,
    compare_outcomes,
    compare_runs,
    evaluate_outcome,
    evaluate_runs,
    holm,
    verdict_kind,
)
from sensorium.evaluate.bootstrap import resamples
from sensorium.evaluate.compare import two_sided
from sensorium.metrics import Outcome
from sensorium.wording import verdict_sentence


def verdict(fused, single, difference, slower):
    pair = ModelName("fusion", fused), ModelName("single", single)
    kind = verdict_kind(difference, beats_every_modality=True, p_corrected=0.01)
    return verdict_sentence(Verdict(kind, *pair, difference, slower, pair[kind != "helps"]))


pytestmark = pytest.mark.unit


def test_a_model_does_not_differ_from_itself():
    same = outcome(np.random.default_rng(0).random(100) < 0.7)
    found = compare_outcomes(same, same, "accuracy")
    assert (found.value, found.interval, found.p) == (0, (0, 0), 1)


def test_a_clear_difference_is_shown_and_changes_sign_with_the_order():
    random = np.random.default_rng(0)
    good, bad = (outcome(random.random(300) < share) for share in (0.9, 0.6))
    found, turned = compare_outcomes(good, bad, "accuracy"), compare_outcomes(bad, good, "accuracy")
    assert found.interval[0] > 0
    assert found.p < 0.01
    assert turned.value == -found.value
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_lower_errors_are_better():
    truth = np.random.default_rng(0).normal(size=200)
    near, far = (Outcome(truth, truth + shift, truth + shift) for shift in (0.1, 1.0))
    assert compare_outcomes(near, far, "rmse").value == pytest.approx(0.9)


def test_chance_is_not_called_a_difference():
    """Two coins of the same kind: at most about one pair in twenty may look different."""
    random, called = np.random.default_rng(0), 0
    for _ in range(100):
        pair = [outcome(random.random(120) < 0.7) for _ in range(2)]
        low, high = compare_outcomes(*pair, "accuracy").interval
        called += low > 0 or high < 0
    assert called <= 12


@pytest.mark.parametrize(
    ("interval", "slower", "sentence"),
    [
        (
            (0.004, 0.031),
            2.14,
            "Fusion helps here: gated fusion gains +1.8 points accuracy over text alone (95% interval 0.4 to 3.1) and "
            "trains 2.1× slower.",
        ),
        (
            (0.004, 0.031),
            0.5,
            "Fusion helps here: gated fusion gains +1.8 points accuracy over text alone (95% interval 0.4 to 3.1) and "
            "trains 2.0× faster.",
        ),
        (
            (-0.001, 0.031),
            2.0,
            "Fusion does not help here: gated fusion gains +1.8 points accuracy over text alone (95% interval -0.1 to "
            "3.1). Use text alone.",
        ),
        (
            (-0.04, -0.002),
            2.0,
            "Fusion hurts here: gated fusion loses 2.1 points accuracy against text alone (95% interval 0.2 to 4.0). "
            "Use text alone.",
        ),
    ],
)
def test_the_verdict_says_what_the_interval_says(interval, slower, sentence):
    value = 0.018 if interval[1] > 0 else -0.021
    assert verdict("gated", "text", Difference("accuracy", value, interval, 0.1), slower) == sentence


def test_a_negative_gain_that_is_not_shown_is_a_loss():
    sentence = verdict("late", "photo", Difference("accuracy", -0.067, (-0.15, 0.01), 0.1), 3)
    assert "late fusion loses 6.7 points accuracy against photo alone (95% interval -1.0 to 15.0)" in sentence


def test_what_is_no_share_is_told_in_its_own_unit():
    sentence = verdict("late", "text", Difference("rmse", 1234.5, (10.0, 2000.0), 0.01), 3)
    assert "late fusion gains +1.23e+03 rmse over text alone (95% interval 10 to 2e+03)" in sentence


def test_a_metric_of_one_target_is_stated_in_points_like_that_of_all_targets():
    sentence = verdict("late", "text", Difference("genre.accuracy", 0.018, (0.004, 0.031), 0.01), 3)
    assert "late fusion gains +1.8 points genre.accuracy over text alone (95% interval 0.4 to 3.1)" in sentence


def test_both_models_are_scored_on_the_same_resampled_rows():
    random = np.random.default_rng(2)
    right = [random.random(60) < share for share in (0.8, 0.7)]
    gains = [
        np.repeat(right[0] * 1.0 - right[1], counts.astype(int)).mean() for block in resamples(60) for counts in block
    ]
    found = compare_outcomes(*map(outcome, right), "accuracy")
    assert found.interval == pytest.approx(np.quantile(gains, [0.025, 0.975]))
    assert found.p == pytest.approx(2 * min(np.mean(np.array(gains) <= 0), np.mean(np.array(gains) >= 0)))


def test_what_is_not_defined_is_no_difference_and_the_verdict_says_so():
    """Test rows of one class cannot be ranked."""
    found = compare_outcomes(ONE_CLASS, ONE_CLASS, "roc_auc")
    assert found.to_json() == {"metric": "roc_auc", "value": None, "interval": [None, None], "p": None}
    assert verdict("concat", "image", found, 1.5) == (
        "The metric roc_auc is not defined on these rows: concat fusion and image alone cannot be compared."
    )


def test_where_most_resamples_leave_it_undefined_there_is_no_interval():
    """Correlation needs a row that is positive and one so called: three resamples of five lack one of the two."""
    truth, called = np.eye(2, 40, dtype=int)
    found = evaluate_outcome(Outcome(truth, np.stack([1 - called, called], 1) * 1.0, called), ["mcc"])
    assert np.isfinite(found.metrics["mcc"])
    assert np.isnan(found.intervals["mcc"]).all()


def test_holm_multiplies_the_smallest_by_all_and_never_turns_the_order_round():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])
    found = holm([float("nan"), 0.01, 0.02])
    assert math.isnan(found[0]) and found[1:] == pytest.approx([0.02, 0.02])
    assert holm([]) == []


def test_runs_that_differ_widen_the_interval_of_their_mean():
    random = np.random.default_rng(0)
    runs = [outcome(random.random(400) < right) for right in (0.95, 0.75, 0.6)]
    alike = [outcome(random.random(400) < 0.77) for _ in range(3)]
    found, narrow = (evaluate_runs(group, ["accuracy"]) for group in (runs, alike))
    assert found.metrics["accuracy"] == pytest.approx(np.mean([np.mean(r.truth == r.predicted) for r in runs]))
    widths = [np.diff(each.intervals["accuracy"])[0] for each in (found, narrow)]
    assert widths[0] > 2 * widths[1]


def test_the_difference_of_means_turns_its_sign_with_the_order():
    random = np.random.default_rng(1)
    good, bad = ([outcome(random.random(300) < right) for _ in range(2)] for right in (0.9, 0.7))
    one, other = compare_runs(good, bad, "accuracy"), compare_runs(bad, good, "accuracy")
    assert one.value == -other.value and one.interval[0] > 0 and one.p < 0.05


def test_a_bootstrap_probability_is_never_0():
    """No resample on the other side of 0 shows less than one in as many as were drawn."""
    assert two_sided(np.ones(999)) == pytest.approx(2 / 1000)
    assert two_sided(np.array([-1.0, 1.0, 1.0, 1.0])) == pytest.approx(0.5)
    assert two_sided(np.zeros(9)) == 1
    assert math.isnan(two_sided(np.zeros(0)))


@pytest.mark.parametrize(("interval", "words"), [((0.0, 0.02), "does not help"), ((-0.02, 0.0), "does not help")])
def test_an_interval_that_touches_0_shows_no_difference(interval, words):
    found = Difference("accuracy", 0.01, interval, 0.05)
    assert not found.helps
    assert words in verdict("late", "text", found, 1.0)


def test_an_interval_above_0_shows_that_the_first_is_better():
    assert Difference("accuracy", 0.01, (1e-9, 0.02), 0.05).helps


def test_equally_good_models_of_many_classes_are_not_called_different():
    """Differences are not corrected for bias: correction would call 1 pair in 6 different."""
    random, called = np.random.default_rng(0), 0
    for seed in range(60):
        truth = random.integers(0, 20, 60)
        pair = []
        for _ in range(2):
            logits = random.normal(size=(60, 20))
            logits[np.arange(60), truth] += 1.5
            pair.append(Outcome(truth, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), logits.argmax(1)))
        low, high = compare_outcomes(*pair, "average_precision", seed).interval
        called += low > 0 or high < 0
    assert called <= 6
