"""A model that learns from another's answers: the divergence, whose answers they are, and what it brings."""

import numpy as np
import pytest
import torch

import sensorium
from sensorium.config import PrepareConfig
from sensorium.errors import ArtifactError, ConfigError
from sensorium.planning import _teacher
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.techniques.distillation import divergence

ROWS = 240


def made(rows=ROWS, seed=0):
    """Each column tells half of the label."""
    random = np.random.default_rng(seed)
    left, right = random.normal(size=(2, rows))
    label = np.where(left + right > 0, "yes", "no")
    return {"left": left.tolist(), "right": right.tolist(), "label": label.tolist()}


def fit(table, target="label", **settings):
    return sensorium.fit(table, target, progress=False, **settings)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    out = tmp_path_factory.mktemp("teacher")
    fit(made(), out=out, epochs=8, train={"few_labels": "none"})
    return str(out)


def softmax(logits):
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def test_the_divergence_of_classes_is_that_of_kullback_and_leibler():
    teacher_scores, answered = np.random.default_rng(0).normal(size=(2, 7, 4))
    p, q = softmax(teacher_scores), softmax(answered)
    expected = (p * np.log(p / q)).sum(1).mean()
    found = divergence(torch.tensor(teacher_scores), torch.tensor(answered), classes=True)
    assert found.item() == pytest.approx(expected)


def test_of_yes_and_no_each_label_diverges_by_itself():
    teacher_scores, answered = np.random.default_rng(1).normal(size=(2, 7, 3))
    p, q = 1 / (1 + np.exp(-teacher_scores)), 1 / (1 + np.exp(-answered))
    expected = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()
    found = divergence(torch.tensor(teacher_scores), torch.tensor(answered), classes=False)
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize("classes", [True, False])
def test_nothing_diverges_from_itself(classes):
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)) * 20
    assert divergence(logits, logits, classes).item() == pytest.approx(0, abs=1e-6)


def test_what_a_teacher_knows_makes_up_for_labels_that_are_wrong(teacher):
    """A third of the learner's few labels are turned round."""
    wrong = np.random.default_rng(5).random(60) < 0.33
    few = made(60, seed=3)
    few["label"] = [
        {"yes": "no", "no": "yes"}[own] if turn else own for own, turn in zip(few["label"], wrong, strict=True)
    ]
    plain, teacher_scores = (fit(few, epochs=20, train=train) for train in ({}, {"teacher": teacher}))
    accuracy = [model.evaluate(made(600, seed=4)).metrics["accuracy"] for model in (plain, teacher_scores)]
    assert accuracy[1] > accuracy[0] + 0.05


@pytest.mark.slow
def test_the_teacher_may_see_columns_that_the_learner_does_not(teacher):
    """The learner knows `left`, its teacher `right` too: where that decides, the learner is unsure."""
    train = {"teacher": teacher, "techniques": {"distillation": {"weight": 1.0}}, "metric": "log_loss"}
    model = fit(made(), columns=["left"], epochs=20, train=train)
    assert model.columns == {"left": "number"}
    sure = model.predict_proba({"left": [-2.0, 0.0, 2.0]})[:, 1]
    assert sure[0] < 0.2 < 0.3 < sure[1] < 0.7 < 0.8 < sure[2]


@pytest.mark.slow
def test_what_it_answers_is_all_that_is_learnt_with_a_weight_of_1(teacher, tmp_path):
    """The labels are turned round, the teacher is not: the model follows the teacher."""
    turned = made()
    turned["label"] = ["no" if label == "yes" else "yes" for label in turned["label"]]
    train = {"teacher": teacher, "techniques": {"distillation": {"weight": 1.0}}, "metric": "log_loss"}
    model = fit(turned, split={"validation": 0, "test": 0}, epochs=15, train=train)
    rows = made(300, seed=2)
    assert model.evaluate(rows).metrics["accuracy"] > 0.85


@pytest.mark.slow
def test_labels_in_another_order_are_matched_by_name(tmp_path):
    """One says yes with 1, the other was learnt of a table where the labels are spelt so that their order turns."""
    random = np.random.default_rng(0)
    x = random.normal(size=300)
    names = np.array(["b", "a", "c"])[np.digitize(x, [-0.5, 0.5])]
    fit({"x": x, "label": names}, out=tmp_path, epochs=20)
    reader = sensorium.load(tmp_path)
    train = {"teacher": str(tmp_path), "techniques": {"distillation": {"weight": 1.0}}}
    few = fit({"x": x, "label": names}, epochs=20, train=train, seed=4)
    assert (few.predict({"x": [-2.0, 0.0, 2.0]}) == reader.predict({"x": [-2.0, 0.0, 2.0]})).all()


@pytest.mark.slow
def test_amounts_are_learnt_from_amounts(tmp_path):
    x = np.linspace(-1, 1, 200)
    fit({"x": x, "y": 3 * x + 10}, "y", out=tmp_path, epochs=30)
    train = {"teacher": str(tmp_path), "techniques": {"distillation": {"weight": 1.0}}}
    model = fit({"x": x, "y": -5 * x}, "y", epochs=30, train=train, split={"validation": 0, "test": 0})
    assert model.predict({"x": [0.8]})[0] > model.predict({"x": [-0.8]})[0] + 3


@pytest.mark.slow
def test_counts_are_learnt_from_means(tmp_path):
    """The labels fall where the means of the teacher rise."""
    x, random = np.linspace(-1, 1, 200), np.random.default_rng(0)
    rising, falling = ({"x": x, "y": random.poisson(np.exp(1 + 2 * sign * x))} for sign in (1, -1))
    fit(rising, "y", task="count", out=tmp_path, epochs=30)
    train = {"teacher": str(tmp_path), "techniques": {"distillation": {"weight": 1.0}}}
    model = fit(falling, "y", task="count", epochs=30, train=train, split={"validation": 0, "test": 0})
    low, high = model.predict({"x": [-0.8, 0.8]})
    assert high > 4 * low > 0


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"techniques": ["distillation"]}, "needs a teacher"),
        ({"teacher": "nowhere"}, "the model does not exist"),
    ],
)
def test_a_teacher_that_is_not_there_is_told(train, message):
    with pytest.raises((ConfigError, ArtifactError), match=message):
        fit(made(), train=train)


@pytest.mark.parametrize(
    ("target", "labels", "message"),
    [
        ("label", ["maybe", "yes"] * (ROWS // 2), "it does not know maybe; it also predicts no"),
        ("label", ["a", "b", "c"] * (ROWS // 3), "the teacher predicts 'no' or 'yes'"),
    ],
)
def test_a_teacher_of_something_else_is_refused(target, labels, message, teacher):
    with pytest.raises(ConfigError, match=message):
        fit({**made(), target: labels}, train={"teacher": teacher})


@pytest.mark.parametrize("prepare", [{"stream": True}, {"store": "none"}, {}])
def test_the_teacher_is_asked_about_some_rows_at_a_time_or_from_the_store(prepare, teacher, monkeypatch):
    asked, real = [], _teacher.prepare_columns

    def watched(table, learnt, report, store):
        asked.append((len(table), store is not None))
        return real(table, learnt, report, store)

    monkeypatch.setattr(_teacher, "prepare_columns", watched)
    monkeypatch.setattr(_teacher, "CHUNK", 50)
    fitted, table = sensorium.load(teacher).fitted, open_table(made(120, seed=8))
    found = _teacher.ask_teacher(fitted, table, fitted.task, config=PrepareConfig(**prepare), report=Silent())
    assert asked == ([(50, False), (50, False), (20, False)] if prepare else [(120, True)])
    assert found == pytest.approx(sensorium.Model(fitted).predict_proba(table), abs=1e-6)
