"""Temperature scaling: the right temperature, only where it helps, the same in every use of the model."""

import json

import numpy as np
import pytest
from scipy import optimize

import sensorium
from sensorium.errors import ConfigError
from sensorium.model import FEWEST, calibrate
from sensorium.table import open_table
from sensorium.tasks.binary import Binary
from sensorium.tasks.multiclass import Multiclass
from sensorium.tasks.multilabel import Multilabel

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
    found = calibrate(task, logits, truth, 0)
    assert found.temperature == pytest.approx(3, rel=0.08)
    assert found.temperature == pytest.approx(reference(task, kind, logits, truth), rel=1e-3)
    assert found.log_loss[1] < found.log_loss[0]
    assert found.ece[1] < found.ece[0] / 2


@pytest.mark.unit
def test_few_rows_that_all_are_right_do_not_make_a_model_certain():
    task = make_task("multiclass")
    truth = np.arange(60) % 3
    found = calibrate(task, 2 * np.eye(3, dtype=np.float32)[truth], truth, 0)
    surest = task.scores(2 / np.float32(found.temperature) * np.eye(3, dtype=np.float32)).max()
    assert 0.1 < found.temperature < 1
    assert surest < 1 - 1 / (2 * len(truth))


@pytest.mark.unit
def test_a_temperature_that_does_not_help_on_other_rows_is_not_taken():
    task, taken = make_task("binary"), []
    for seed in range(20):
        found = calibrate(task, *draw(task, "binary", 80, seed=seed), 0)
        taken.append(found.temperature != 1)
        assert taken[-1] == (found.log_loss[1] < found.log_loss[0])
    assert not all(taken)


@pytest.mark.unit
def test_too_few_rows_say_nothing():
    task = make_task("binary")
    assert calibrate(task, *draw(task, "binary", FEWEST - 1), 0) is None
    assert calibrate(task, *draw(task, "binary", FEWEST), 0)


def fit(table, **settings):
    config = {"split": {"validation": 0.5, "test": 0.2}, **settings}
    return sensorium.fit(table, "label", epochs=6, config=config, progress=False)


def test_it_changes_how_sure_a_model_is_and_nothing_else(tabular, tmp_path):
    plain, scaled = fit(tabular), fit(tabular, calibrate="temperature")
    temperature = scaled.fitted.temperature
    assert temperature != 1 == plain.fitted.temperature
    powers = plain.predict_proba(tabular) ** (1 / temperature)
    expected = powers / powers.sum(1, keepdims=True)
    assert scaled.predict_proba(tabular) == pytest.approx(expected, abs=1e-5)
    assert scaled.predict(tabular).tolist() == plain.predict(tabular).tolist()
    scaled.save(tmp_path / "m.zip")
    assert (sensorium.load(tmp_path / "m.zip").predict_proba(tabular) == scaled.predict_proba(tabular)).all()


def test_the_card_tells_what_it_changed_on_the_test_rows(tabular):
    plain, scaled = fit(tabular), fit(tabular, calibrate="temperature")
    found = scaled.card["calibration"]
    for name in ("log_loss", "ece"):
        assert found["test"][name] == pytest.approx([plain.test.metrics[name], scaled.test.metrics[name]])
    assert json.loads(json.dumps(found)) == found
    assert "calibration" not in plain.card


@pytest.mark.unit
def test_what_cannot_be_calibrated_is_refused(tabular):
    with pytest.raises(ConfigError, match="regression has no class probabilities"):
        fit({"x": [1.5, 2.5] * 40, "label": [0.5, 1.5] * 40}, task="regression", calibrate="temperature")
    with pytest.raises(ConfigError, match="12 validation rows are too few"):
        sensorium.fit(tabular, "label", config={"calibrate": "temperature"}, progress=False)
