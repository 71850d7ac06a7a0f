"""Skewed targets are trained on a transformed scale, and predictions are means of the target."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sensorium
from sensorium.errors import ArtifactError, ConfigError, SchemaError
from sensorium.registry import tasks
from sensorium.table import open_table
from sensorium.tasks._transforms import Transform

LOG_NORMAL = np.random.default_rng(0).lognormal(3, 1, 2000)


def learn(values, **options):
    return tasks.load("regression").learn(open_table({"y": list(values)}).column("y"), "auto", **options)


def kind(task):
    return task.transform.get("kind", "none")


@pytest.mark.unit
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (LOG_NORMAL, "yeo_johnson"),
        (LOG_NORMAL * 1e-9, "yeo_johnson"),
        (LOG_NORMAL * 1e200, "yeo_johnson"),
        (np.random.default_rng(0).beta(5, 1, 2000), "yeo_johnson"),
        (-LOG_NORMAL, "yeo_johnson"),
        (LOG_NORMAL - 30, "yeo_johnson"),
        (np.random.default_rng(0).normal(20, 5, 2000), "none"),
        (np.random.default_rng(0).uniform(0, 5, 2000), "none"),
        (np.random.default_rng(0).poisson(5, 300), "none"),
        (np.full(50, 7.0), "none"),
        (np.tile([1.0, 1e6], 50), "none"),
        (LOG_NORMAL[:15], "none"),
    ],
)
def test_a_transform_is_chosen_for_skewed_targets_only(values, expected):
    task = learn(values)
    assert kind(task) == expected
    told = [problem for problem in task.findings("y") if "trained on" in problem.reason]
    assert len(told) == (expected != "none")
    assert all("skewness" in problem.reason and "train.target_transform=none" in problem.cure for problem in told)


@pytest.mark.unit
def test_counts_are_transformed_with_one_added():
    task = learn(np.random.default_rng(0).negative_binomial(1, 0.05, 1000))
    assert kind(task) == "yeo_johnson" and task.target_transform.lowest == 0
    assert learn([0, 1, 2, 3, 50] * 10, target_transform="log").target_transform.shift == 1
    assert learn([0, 0.5, 2, 3, 50] * 10, target_transform="log").target_transform.shift == 0.25


@pytest.mark.unit
@pytest.mark.parametrize("values", [LOG_NORMAL, np.random.default_rng(0).normal(size=200)])
def test_a_setting_overrides_the_choice(values):
    assert kind(learn(values, target_transform="none")) == "none"
    assert kind(learn(np.abs(values), target_transform="log")) == "log"
    task = learn(values, target_transform="yeo_johnson")
    assert kind(task) == "yeo_johnson" and not task.choices


@pytest.mark.unit
def test_the_logarithm_of_negative_amounts_is_refused():
    with pytest.raises(SchemaError, match=r"(?s)negative amounts, such as -3.*yeo_johnson"):
        learn([1.0, 2.0, -3.0] * 10, target_transform="log")


amounts = st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), min_size=2, max_size=60)


@pytest.mark.unit
@given(amounts, st.sampled_from(["auto", "yeo_johnson", "log"]), st.sampled_from(["auto", "huber"]), st.booleans())
def test_any_amounts_have_finite_losses_and_predictions(values, transform, loss, keep):
    values = np.abs(values) if transform == "log" else np.array(values)
    task = learn(values, target_transform=transform, loss=loss, keep_outliers=keep)
    logits = np.array([[-3e38], [-2], [0], [2], [3e38]], np.float32)
    target = torch.from_numpy(values)
    assert task.loss(torch.zeros(len(values), 1), target).isnan().sum() == 0
    if task.transform:
        task = task.corrected(np.zeros((len(values), 1), np.float32), values)
        scores = task.scores(logits)
        assert np.isfinite(scores).all() and (np.diff(scores) >= 0).all()
        assert scores.min() >= task.target_transform.lowest and scores.max() <= task.target_transform.highest
    again = type(task).restore(json.loads(json.dumps(task.state()[0])), {})
    np.testing.assert_array_equal(again.scores(logits[1:4]), task.scores(logits[1:4]))


@pytest.mark.unit
@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=40),
    st.floats(0, 2),
    st.floats(-5, 5),
    st.floats(0.1, 10),
)
def test_yeo_johnson_is_inverted_and_equals_that_of_torch(values, power, shift, scale):
    values = np.sort(np.array(values))
    transform = Transform("yeo_johnson", -50, 50, shift, scale, power)
    found = transform.forward(values)
    assert (np.diff(found) >= 0).all()
    np.testing.assert_allclose(transform.inverse(found), values, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(transform.forward(torch.from_numpy(values), torch).numpy(), found, rtol=1e-9, atol=1e-12)


@pytest.mark.unit
def test_yeo_johnson_equals_that_of_scikit_learn():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(0).normal(size=200) * 3
    for power in (0.0, 0.5, 1.0, 2.0):
        found = Transform("yeo_johnson", -100, 100, power=power).forward(values)
        np.testing.assert_allclose(found, stats.yeojohnson(values, power))


@pytest.mark.unit
@pytest.mark.parametrize("rows", [30, 5000])
@pytest.mark.parametrize("shift", [0.0, 0.4], ids=["unbiased", "biased on the transformed scale"])
def test_predictions_have_the_mean_of_the_target(rows, shift):
    """The logarithm of the amounts is the prediction plus normal noise: exp of it alone is too low."""
    random = np.random.default_rng(1)
    level = random.normal(3, 0.5, 20_000)
    truth = np.exp(level + 0.8 * random.normal(size=20_000))
    task = learn(truth, target_transform="log")
    logits = ((level - shift - task.mean) / task.deviation).astype(np.float32)[:, None]
    plain = task.scores(logits)
    corrected = task.corrected(logits[:rows], truth[:rows]).scores(logits)
    assert plain.mean() < 0.8 * truth.mean()
    assert corrected.mean() == pytest.approx(truth.mean(), rel=0.02 if rows > 1000 else 0.25)
    assert np.square(corrected - truth).mean() < np.square(plain - truth).mean()


@pytest.mark.unit
def test_errors_of_a_skewed_distribution_are_used_as_they_are():
    """The smearing estimate does not assume normal errors."""
    random = np.random.default_rng(1)
    level = random.normal(3, 0.5, 20_000)
    truth = np.exp(level + 0.4 * random.exponential(size=20_000))
    task = learn(truth, target_transform="log")
    logits = ((level - task.mean) / task.deviation).astype(np.float32)[:, None]
    assert task.corrected(logits, truth).scores(logits).mean() == pytest.approx(truth.mean(), rel=0.02)


@pytest.mark.unit
def test_predictions_stay_near_the_range_of_the_training_rows():
    task = learn(LOG_NORMAL, target_transform="log")
    low, high = task.scores(np.array([[-1e4], [1e4]], np.float32))
    assert 0 < low < LOG_NORMAL.min() and LOG_NORMAL.max() < high < 5 * LOG_NORMAL.max()
    counts = learn(np.random.default_rng(0).negative_binomial(1, 0.05, 1000), target_transform="yeo_johnson")
    assert 0 <= counts.scores(np.array([[-1e4]], np.float32))[0] < 1e-9


@pytest.mark.unit
def test_scores_of_a_row_do_not_depend_on_other_rows():
    task = learn(LOG_NORMAL)
    logits = np.random.default_rng(0).normal(size=(5000, 1)).astype(np.float32)
    task = task.corrected(logits[:2000], LOG_NORMAL)
    np.testing.assert_array_equal(task.scores(logits)[4321], task.scores(logits[4321:4322])[0])


@pytest.mark.unit
@pytest.mark.parametrize(
    "change",
    [
        {"transform": {"kind": "log"}},
        {"transform": {"kind": "exec", "lowest": 1.0, "highest": 2.0}},
        {"transform": {"kind": "log", "lowest": -1.0, "highest": 2.0}},
        {"transform": {"kind": "log", "lowest": 3.0, "highest": 2.0}},
        {"transform": {"kind": "log", "lowest": 1.0, "highest": 2.0, "more": 1}},
        {"transform": {"kind": "yeo_johnson", "lowest": 1.0, "highest": 2.0, "power": 99.0}},
        {"transform": {"kind": "yeo_johnson", "lowest": 1.0, "highest": 2.0, "scale": 0.0}},
        {"transform": {"kind": "yeo_johnson", "lowest": 1.0, "highest": 1e308, "scale": 1e-9}},
        {"transform": {"kind": "yeo_johnson", "lowest": float("nan"), "highest": 2.0}},
        {"errors": [0.0] * 101},
        {"errors": [float("inf")]},
        {"errors": ["0"]},
        {"robust": 1},
    ],
)
def test_forged_states_are_refused(change):
    state, arrays = learn(LOG_NORMAL).state()
    with pytest.raises(ArtifactError):
        tasks.load("regression").restore({**state, **change}, arrays)


@pytest.mark.unit
def test_states_of_earlier_versions_have_no_transform():
    state, arrays = learn(LOG_NORMAL, target_transform="none", loss="squared").state()
    new = {"transform", "robust", "errors", "choices"}
    task = tasks.load("regression").restore({k: v for k, v in state.items() if k not in new}, arrays)
    logits = np.array([[0.5]], np.float32)
    assert task.scores(logits)[0] == 0.5 * task.deviation + task.mean


@pytest.mark.unit
@pytest.mark.parametrize(
    ("values", "robust"),
    [
        (np.random.default_rng(0).standard_t(2, 1000), True),
        (np.random.default_rng(0).standard_cauchy(1000), True),
        (np.random.default_rng(0).normal(size=1000), False),
        (np.random.default_rng(0).uniform(size=1000), False),
        (LOG_NORMAL, False),
        (np.random.default_rng(0).gamma(2, 500, 1000), False),
        (np.zeros(500), False),
        (np.where(np.arange(1000) % 10, 0, np.random.default_rng(0).normal(size=1000)), False),
    ],
)
def test_the_loss_is_robust_where_both_tails_are_heavy(values, robust):
    task = learn(values)
    assert task.robust == robust
    told = [problem for problem in task.findings("y") if "Huber" in problem.reason]
    assert len(told) == robust and all("train.loss=squared" in problem.cure for problem in told)
    assert not learn(values, loss="squared").robust and learn(values, loss="huber").robust


@pytest.mark.unit
def test_a_label_far_away_pulls_no_harder_than_a_near_one():
    task = learn(np.random.default_rng(0).normal(size=200), loss="huber")
    slopes = []
    for label in (5.0, 5e6):
        logits = torch.zeros(1, 1, requires_grad=True)
        task.loss(logits, torch.tensor([label], dtype=torch.float64)).backward()
        slopes.append(float(logits.grad))
    assert slopes[0] == slopes[1] != 0


@pytest.fixture(scope="module")
def prices():
    random = np.random.default_rng(0)
    size = random.normal(size=600)
    price = np.exp(4 + size + 0.4 * random.normal(size=600))
    return {"size": size, "price": price, "kind": np.where(size > 0, "large", "small")}


@pytest.fixture(scope="module")
def fitted(prices):
    return sensorium.fit(prices, "price", columns=["size"], epochs=15, progress=False)


def test_a_model_predicts_means_of_skewed_amounts(prices, fitted, tmp_path):
    found = fitted.predict({"size": prices["size"]})
    assert np.mean(found) == pytest.approx(prices["price"].mean(), rel=0.1) and min(found) > 0
    fitted.save(tmp_path / "model")
    np.testing.assert_array_equal(sensorium.load(tmp_path / "model").predict({"size": prices["size"]}), found)
    assert "Yeo-Johnson" in str(fitted.card["notices"])


def test_evaluation_is_on_the_scale_of_the_target(prices, fitted):
    found = fitted.evaluate(prices, "all").metrics
    expected = np.sqrt(np.square(np.array(fitted.predict(prices)) - prices["price"]).mean())
    assert found["rmse"] == pytest.approx(expected)


def test_several_targets_have_transforms_of_their_own(prices):
    table = {**prices, "size2": prices["size"] + 5}
    model = sensorium.fit(table, ["price", "size2", "kind"], epochs=5, progress=False)
    found = model.predict({"size": [0.0, 100.0]})
    assert all(0 < row["price"] < 5 * prices["price"].max() for row in found)


def test_training_continues_with_the_transform_of_the_model(prices, fitted):
    more = {"size": prices["size"][:100], "price": prices["price"][:100] * 3}
    model = sensorium.fit(more, "price", start=fitted, epochs=2, progress=False)
    assert model.predict({"size": [0.0]})[0] > fitted.predict({"size": [0.0]})[0]
    with pytest.raises(ConfigError, match=r"cannot change train\.target_transform"):
        sensorium.fit(more, "price", start=fitted, progress=False, train={"target_transform": "none"})


@pytest.mark.slow
def test_a_student_of_a_teacher_has_no_bias(prices, fitted, tmp_path):
    fitted.save(tmp_path / "teacher")
    model = sensorium.fit(
        prices, "price", columns=["size"], epochs=15, progress=False, train={"teacher": str(tmp_path / "teacher")}
    )
    found = model.predict({"size": prices["size"]})
    assert np.mean(found) == pytest.approx(prices["price"].mean(), rel=0.1)


@pytest.mark.parametrize("setting", [{"target_transform": "log"}, {"loss": "huber"}])
def test_classes_have_no_transform_and_no_robust_loss(prices, setting):
    with pytest.raises(ConfigError, match="binary has no amounts"):
        sensorium.fit(prices, "kind", train=setting, progress=False)


@pytest.mark.unit
def test_several_targets_without_an_amount_have_no_transform():
    column = open_table({"y": [{"a": "x", "b": "u"}, {"a": "y", "b": "v"}] * 10}).column("y")
    with pytest.raises(ConfigError, match="no target is an amount"):
        tasks.load("several").learn(column, "auto", target_transform="log", loss="auto")


def test_a_model_without_validation_rows_learns_errors_from_training_rows(prices):
    model = sensorium.fit(
        prices, "price", columns=["size"], epochs=10, progress=False, split={"validation": 0, "test": 0.2}
    )
    found = model.predict({"size": prices["size"]})
    assert np.mean(found) == pytest.approx(prices["price"].mean(), rel=0.15)
