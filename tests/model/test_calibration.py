"""Temperature scaling: the right temperature, only where it helps, the same in every use of the model."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

import sensorium
from sensorium.config import CALIBRATION_ROWS
from sensorium.errors import ConfigError
from sensorium.evaluate.calibration import calibrate
from sensorium.metrics import Difference
from sensorium.model import Outputs
from sensorium.model.card import CalibrationRecord
from sensorium.planning import plan_and_prepare
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.tasks.binary import Binary
from sensorium.tasks.multiclass import Multiclass
from sensorium.tasks.multilabel import Multilabel
from sensorium.trials import TrialResult, TrialSpec, calibrate_ensemble, finish
from sensorium.wording import calibration_sentence

KINDS = ["binary", "multiclass", "multilabel"]


def make_task(kind):
    column = open_table({"y": ["a|b", "b|c", "c"] if kind == "multilabel" else list("abc")[: 3 - (kind == "binary")]})
    learn = {"binary": Binary, "multiclass": Multiclass, "multilabel": Multilabel}[kind].learn
    return learn(column.column("y"), "none")


def draw(task, kind, rows, hotter=1.0, seed=0):
    """Logits, `hotter` times too sure, of labels that are drawn by the probabilities they mean."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (rows, task.outputs)).astype(np.float32)
    scores = task.scores(logits)
    if kind == "multilabel":
        truth = (random.random(scores.shape) < scores).astype(np.float32)
    else:
        truth = (scores.cumsum(1) < random.random((rows, 1))).sum(1)
    return logits * np.float32(hotter), truth


def reference(task, kind, logits, truth):
    """The temperature by SciPy, from probabilities that are smoothed by one row in as many as there are."""
    doubt = 1 / (len(logits) + 2)

    def loss(temperature):
        p = task.scores(logits / np.float32(temperature)).clip(1e-15)
        if kind == "multilabel":
            own = -np.where(truth > 0.5, np.log(p), np.log((1 - p).clip(1e-15)))
            any_label = -(np.log(p) + np.log((1 - p).clip(1e-15))) / 2
        else:
            own, any_label = -np.log(p[np.arange(len(p)), truth]), -np.log(p)
        return (1 - doubt) * own.mean() + doubt * any_label.mean()

    return optimize.minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x


@pytest.mark.unit
@pytest.mark.parametrize("kind", KINDS)
def test_it_finds_the_temperature_that_made_a_model_too_sure(kind):
    task = make_task(kind)
    logits, truth = draw(task, kind, 4000, hotter=3)
    found = calibrate(task, Outputs.of_logits(logits), truth, 0)
    assert found.reason == "kept"
    assert found.temperature == pytest.approx(3, rel=0.08)
    assert found.temperature == pytest.approx(reference(task, kind, logits, truth), rel=1e-3)
    assert found.gain.value == pytest.approx(found.log_loss[0] - found.log_loss[1]) and found.gain.interval[0] > 0
    assert found.ece[1] < found.ece[0] / 2


@pytest.mark.unit
def test_few_rows_that_all_are_right_do_not_make_a_model_certain():
    task = make_task("multiclass")
    truth = np.arange(60) % 3
    found = calibrate(task, Outputs.of_logits(2 * np.eye(3, dtype=np.float32)[truth]), truth, 0)
    surest = task.scores(2 / np.float32(found.temperature) * np.eye(3, dtype=np.float32)).max()
    assert 0.1 < found.temperature < 1
    assert surest < 1 - 1 / (2 * len(truth))


@pytest.mark.unit
def test_temperature_of_a_calibrated_model_is_not_kept_and_the_reason_is_a_paired_interval():
    """Of 40 models whose probabilities are right, few may get a temperature; a lower mean loss alone is no reason."""
    task, kept, lower = make_task("binary"), 0, 0
    for seed in range(40):
        found = calibrate(task, *wrapped(draw(task, "binary", 80, seed=seed)), 0)
        assert (found.reason == "kept") == (found.gain.interval[0] > 0) == (found.temperature != 1)
        kept, lower = kept + (found.reason == "kept"), lower + (found.gain.value > 0)
        assert found.fitted != 1
    assert kept <= 3 < lower


@pytest.mark.unit
def test_rows_of_a_group_are_judged_together():
    """Ten rows of each group have the same logits and the same fault: they are one observation."""
    task = make_task("binary")
    logits, truth = draw(task, "binary", 30, hotter=1.6, seed=3)
    logits, truth, groups = np.repeat(logits, 10, 0), np.repeat(truth, 10), np.repeat(np.arange(30), 10)
    apart, together = (calibrate(task, Outputs.of_logits(logits), truth, 0, own) for own in (None, groups))
    assert (apart.groups, together.groups) == (300, 30)
    width = np.diff(together.gain.interval) / np.diff(apart.gain.interval)
    assert 2 < width < 5  # √10 for ten rows that count as one


@pytest.mark.unit
def test_rows_of_a_group_are_in_one_fold():
    """Each group has a fault of its own, which only a temperature of the same group would mend."""
    task, random = make_task("binary"), np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 50)
    logits = np.full((400, 1), 4.0, np.float32)
    truth = (random.random(400) < np.where(groups % 2, 0.98, 0.5)).astype(np.int64)
    found = calibrate(task, Outputs.of_logits(logits), truth, 0, groups)
    assert found.groups == 8 and found.rows == 400
    few = calibrate(task, Outputs.of_logits(logits), truth, 0, groups // 2)
    assert (few.reason, few.groups, few.temperature, few.gain) == ("few_groups", 4, 1.0, None)


@pytest.mark.unit
def test_too_few_rows_say_nothing():
    task = make_task("binary")
    few = calibrate(task, *wrapped(draw(task, "binary", CALIBRATION_ROWS - 1)), 0)
    assert (few.reason, few.rows, few.temperature, few.fitted) == ("few_rows", CALIBRATION_ROWS - 1, 1.0, None)
    assert calibrate(task, *wrapped(draw(task, "binary", CALIBRATION_ROWS)), 0).fitted


@pytest.mark.unit
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_one_class_fit_no_temperature(kind):
    task = make_task(kind)
    logits, truth = draw(task, kind, 80)
    truth = np.repeat(truth[:1], 80, 0)
    sure = np.where(truth > 0, 1, -1) if kind == "multilabel" else logits  # every label leans to its only value
    found = calibrate(task, Outputs.of_logits(sure.astype(np.float32)), truth, 0)
    assert (found.reason, found.temperature, found.fitted, found.gain) == ("one_class", 1.0, None, None)


@pytest.mark.unit
def test_labels_without_both_values_do_not_count():
    task = make_task("multilabel")
    logits, truth = draw(task, "multilabel", 2000, hotter=2)
    logits[:, 2], truth[:, 2] = -np.abs(logits[:, 2]), 0
    alone = calibrate(task, Outputs.of_logits(logits), truth, 0)
    logits[:, 2] = 0
    other = calibrate(task, Outputs.of_logits(logits), truth, 0)
    assert alone == other and alone.temperature == pytest.approx(2, rel=0.1)


@pytest.mark.unit
@pytest.mark.parametrize(("hotter", "bound"), [(0.02, 0.1), (500, 100)])
def test_temperature_at_a_bound_of_the_search_is_not_kept(hotter, bound):
    task = make_task("binary")
    logits, truth = draw(task, "binary", 2000, hotter=hotter)
    found = calibrate(task, Outputs.of_logits(logits), truth, 0)
    assert found.gain.interval[0] > 0 and found.fitted == pytest.approx(bound, rel=1e-3)
    assert (found.reason, found.temperature) == ("at_bound", 1.0)


@pytest.mark.unit
def test_ensemble_is_scaled_as_a_whole():
    """The mean of models that disagree is less certain than each of them, even if each is calibrated."""
    task, random = make_task("binary"), np.random.default_rng(0)
    logits, truth = draw(task, "binary", 4000)
    noisy = [logits + random.normal(0, 1.5, logits.shape).astype(np.float32) for _ in range(4)]
    alone = [calibrate(task, Outputs.of_logits(own), truth, 0).temperature for own in noisy]
    scaled = [task.scores(own / np.float32(t)) for own, t in zip(noisy, alone, strict=True)]
    found = calibrate(task, Outputs.of_scores(np.mean(scaled, axis=0)), truth, 0)
    assert min(alone) > 1.2 and found.reason == "kept" and found.temperature < 0.9
    assert found.ece[1] < found.ece[0]


def wrapped(pair):
    return Outputs.of_logits(pair[0]), pair[1]


def fit(table, **settings):
    config = {"split": {"validation": 0.5, "test": 0.2}, **settings}
    return sensorium.fit(table, "label", epochs=6, config=config, progress=False)


@pytest.fixture(scope="module")
def certain():
    """A table whose training labels follow from a number, and a third of whose other labels are drawn at random."""
    random = np.random.default_rng(0)
    x, split = random.normal(0, 2, 500), np.repeat(["train", "validation", "test"], [200, 200, 100])
    labels = np.where(x < -1, "a", np.where(x < 1, "b", "c"))
    noisy = (split != "train") & (random.random(500) < 0.33)
    labels[noisy] = random.choice(["a", "b", "c"], noisy.sum())
    return {"x": list(x), "label": list(labels), "split": list(split), "patient": list(np.arange(500) // 4)}


def learn(table, target="label", **settings):
    config = {"split": {"column": "split"}, "train": {"epochs": 12}, "exclude": ["patient"], **settings}
    return sensorium.fit(table, target, config=config, progress=False)


@pytest.fixture(scope="module")
def pair(certain):
    return learn(certain, calibrate="none"), learn(certain)


def test_it_changes_how_sure_a_model_is_and_nothing_else(pair, certain, tmp_path):
    plain, scaled = pair
    temperature = scaled.fitted.temperature
    assert temperature > 1.2 and plain.fitted.temperature == 1
    powers = plain.predict_proba(certain) ** (1 / temperature)
    expected = powers / powers.sum(1, keepdims=True)
    assert scaled.predict_proba(certain) == pytest.approx(expected, abs=1e-5)
    assert scaled.predict(certain).tolist() == plain.predict(certain).tolist()
    scaled.save(tmp_path / "m.zip")
    assert (sensorium.load(tmp_path / "m.zip").predict_proba(certain) == scaled.predict_proba(certain)).all()


def test_every_fit_is_calibrated_and_the_card_has_the_changes_on_the_test_rows(pair):
    plain, scaled = pair
    found = scaled.card["calibration"]
    assert (found["reason"], found["rows"]) == ("kept", 200)
    assert found["gain"]["interval"][0] > 0 and found["fitted"] == found["temperature"]
    for name in ("log_loss", "ece"):
        assert found["test"][name] == pytest.approx([plain.test.metrics[name], scaled.test.metrics[name]])
        assert found["test"][name][1] < found["test"][name][0]
    assert json.loads(json.dumps(found)) == found
    assert "calibration" not in plain.card


def test_members_get_one_temperature_of_their_mean(pair, certain):
    plain, scaled = pair
    data = plan_and_prepare(open_table(certain), scaled.fitted.config, Silent())
    members = [replace(plain.fitted.first, name=name) for name in ("one", "other")]
    joined = replace(plain.fitted, config=scaled.fitted.config, members=members, member_weights=[0.3, 0.7])
    found = finish(data, calibrate_ensemble(data, TrialResult(TrialSpec("joined"), fitted=joined))).model
    record = found.card.calibration
    assert found.blend_temperature == record.temperature == record.fitted > 1.2
    assert found.blend_temperature == pytest.approx(scaled.fitted.temperature, rel=1e-2)
    assert record.members == [1.0, 1.0] and [member.temperature for member in found.members] == [1.0, 1.0]
    assert record.test["log_loss"][1] < record.test["log_loss"][0]
    assert [(own.name, own.weight) for own in found.card.members] == [("one", 0.3), ("other", 0.7)]
    assert sensorium.Model(found).predict_proba(certain) == pytest.approx(scaled.predict_proba(certain), abs=0.01)
    assert calibration_sentence(record).startswith("probabilities are calibrated by temperature")


def test_folds_follow_the_groups_of_the_split(certain):
    model = learn(certain, split={"column": "split", "group": "patient"})
    found = model.card["calibration"]
    assert found["groups"] * 4 == found["rows"]


@pytest.mark.slow
def test_each_of_several_targets_has_its_own_temperature(certain, tmp_path):
    random = np.random.default_rng(1)
    table = {**certain, "price": random.normal(size=500), "tags": [["u", "v"][: 1 + row % 2] for row in range(500)]}
    model = learn(table, ["label", "price", "tags"])
    found = model.card["calibration"]["targets"]
    assert found.keys() == {"label", "tags"}  # nothing is scaled in regression
    first, second, third = model.fitted.temperature
    assert [first, third] == [found["label"]["temperature"], found["tags"]["temperature"]]
    assert second == 1 and first > 1 and found["label"]["reason"] == "kept"
    for name in ("log_loss", "ece"):
        assert found["label"]["test"][name][1] == pytest.approx(model.test.metrics[f"label.{name}"])
    model.save(tmp_path / "m")
    loaded = sensorium.load(tmp_path / "m")
    assert loaded.evaluate(table).to_json() == model.evaluate(table).to_json()
    assert loaded.fitted.temperature == model.fitted.temperature


def test_report_says_why_probabilities_are_not_scaled(tabular):
    few = sensorium.fit(tabular, "label", epochs=1, progress=False)
    assert few.card["calibration"] == {"reason": "few_rows", "rows": 12, "groups": 12, "test": None, "temperature": 1.0}
    sentence = calibration_sentence(few.fitted.card.calibration)
    assert sentence == "probabilities are not calibrated: 12 validation rows are too few (50 or more are needed)"


def test_validation_rows_of_one_class_leave_the_probabilities_as_they_are():
    random = np.random.default_rng(0)
    split = np.repeat(["train", "validation", "test"], [120, 60, 40])
    labels = np.where(split == "validation", "a", np.array(["a", "b"])[random.integers(0, 2, 220)])
    model = learn({"x": random.normal(size=220), "label": labels, "split": split}, exclude=[], train={"epochs": 2})
    record = model.fitted.card.calibration
    assert (record.reason, record.temperature, model.fitted.temperature) == ("one_class", 1.0, 1.0)
    expected = "probabilities are not calibrated: the 60 validation rows have a single class"
    assert calibration_sentence(record) == expected


@pytest.mark.unit
def test_sentence_of_a_temperature_at_the_bound():
    gain = Difference("log_loss", 0.1, (0.05, 0.15), 0.001)
    record = CalibrationRecord(temperature=1.0, reason="at_bound", rows=80, groups=80, fitted=0.1, gain=gain)
    assert calibration_sentence(record) == (
        "probabilities are not calibrated: the best temperature, 0.1, is at the bound of the search, so the validation "
        "rows do not determine it"
    )


@pytest.mark.unit
def test_sentence_of_a_temperature_that_does_not_help_has_the_interval():
    gain = Difference("log_loss", 0.0343, (-0.0026, 0.0621), 0.1)
    record = CalibrationRecord(temperature=1.0, reason="no_gain", rows=80, groups=80, fitted=1.07, gain=gain)
    assert calibration_sentence(record) == (
        "probabilities are not calibrated: temperature 1.07 is not shown to lower the log loss on validation rows that "
        "did not fit it (gain +0.0343, 95% interval -0.0026 to +0.0621; a gain above 0 is a lower loss)"
    )


@pytest.mark.unit
@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("no_gain", "; a further temperature of 1.05 for all members is not shown to lower the log loss on"),
        ("kept", "; a further temperature of 1.05 for their mean lowers the log loss on"),
    ],
)
def test_sentence_of_an_ensemble_separates_its_temperature_from_those_of_the_members(reason, sentence):
    gain = Difference("log_loss", -0.001, (-0.004, 0.002), 0.5)
    kept = 1.05 if reason == "kept" else 1.0
    record = CalibrationRecord(
        temperature=kept, members=[0.8, 1.3], reason=reason, rows=80, groups=80, fitted=1.05, gain=gain
    )
    expected = f"probabilities of the members are calibrated by the temperatures 0.8, 1.3{sentence}"
    assert calibration_sentence(record).startswith(expected)


@pytest.mark.unit
def test_sentence_of_an_ensemble_of_an_early_version():
    """Its temperatures are those of the members, times that for all."""
    gain = Difference("log_loss", 0.003, (0.002, 0.004), 0.01)
    record = CalibrationRecord(temperature=[0.8, 1.3], reason="kept", rows=80, groups=80, fitted=1.05, gain=gain)
    assert "0.8, 1.3; the factor of 1.05 for all members, which they include, lowers" in calibration_sentence(record)


@pytest.mark.unit
@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_scaled_like_the_logits_that_they_are_made_of(kind):
    task = make_task(kind)
    logits, truth = draw(task, kind, 400, hotter=2)
    scores = task.scores(logits)
    assert task.tempered(scores, 1.0) is scores
    for temperature in (0.5, 3.0):
        expected = task.scores(task.scaled(logits.astype(np.float64), temperature))
        assert task.tempered(scores, temperature) == pytest.approx(expected, abs=1e-9)
    one, other = (calibrate(task, each, truth, 0) for each in (Outputs.of_logits(logits), Outputs.of_scores(scores)))
    assert one.temperature == pytest.approx(other.temperature, rel=1e-3) and one.reason == other.reason == "kept"


@pytest.mark.unit
def test_probabilities_of_zero_are_scaled_without_a_warning():
    task = make_task("multiclass")
    found = task.tempered(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), 2.0)
    assert np.isfinite(found).all() and found.sum(1) == pytest.approx(1)


@pytest.mark.unit
def test_what_cannot_be_calibrated_is_refused(tabular):
    numbers = {"x": [1.5, 2.5] * 40, "label": [0.5, 1.5] * 40, "other": [0.25, 3.5] * 40}
    with pytest.raises(ConfigError, match="the target has no class probabilities"):
        fit(numbers, task="regression", calibrate="temperature")
    with pytest.raises(ConfigError, match="no target has class probabilities"):
        learn(
            {name: values * 3 for name, values in numbers.items()},
            ["label", "other"],
            split={"validation": 0.4},
            exclude=[],
            calibrate="temperature",
            tasks={"label": "regression", "other": "regression"},
        )
    with pytest.raises(ConfigError, match="12 validation rows are too few"):
        sensorium.fit(tabular, "label", preset="fast", config={"calibrate": "temperature"}, progress=False)
