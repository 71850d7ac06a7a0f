"""The validation metric of an epoch is that of all validation rows: the figure that `evaluate` returns."""

import numpy as np
import pytest

import sensorium


@pytest.fixture(scope="module")
def table():
    """A text that is missing in a third of the rows, a number that is missing in a fifth: some rows have neither."""
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b", "c"], 200, p=[0.6, 0.2, 0.2])
    words = {"a": "red apple", "b": "blue sky", "c": "green tree"}
    note = [words[label] if random.random() < 0.67 else None for label in labels]
    number = [float("abc".index(label)) + random.normal() if random.random() < 0.8 else None for label in labels]
    return {"note": note, "number": number, "label": list(labels)}


SETTINGS = {
    "split": {"validation": 0.4, "test": 0.2},
    "train": {"epochs": 2, "metric": "accuracy"},
    "width": 16,
    "modalities": {"note": "text"},
}


@pytest.mark.parametrize("columns", [["note"], ["note", "number"]])
def test_metric_of_the_best_epoch_is_that_of_the_model(table, columns):
    model = sensorium.fit(table, "label", config=SETTINGS, columns=columns, progress=False)
    history = model.card["history"]
    best = history["epochs"][history["best"] - 1]["metric"]
    assert best == pytest.approx(model.card["metrics"]["validation"]["metrics"]["accuracy"])
    assert best == pytest.approx(model.evaluate(table, "validation").metrics["accuracy"])


def test_metric_of_a_soup_is_that_of_the_model(table):
    train = {**SETTINGS["train"], "epochs": 4, "soup": 3}
    model = sensorium.fit(table, "label", config={**SETTINGS, "train": train}, progress=False)
    soup = model.card["history"]["soup"]
    assert soup["metric"] == pytest.approx(model.evaluate(table, "validation").metrics["accuracy"])


@pytest.mark.slow
def test_check_for_imbalance_and_the_history_have_the_same_figures(table):
    train = {**SETTINGS["train"], "imbalance": "always"}
    model = sensorium.fit(table, "label", config={**SETTINGS, "train": train}, progress=False)
    found, history = model.card["imbalance"], model.card["history"]
    chosen = next(result for result in found["results"] if result["name"] == found["chosen"])
    assert chosen["validation"] == pytest.approx(history["epochs"][history["best"] - 1]["metric"])
    assert chosen["validation"] == pytest.approx(model.evaluate(table, "validation").metrics["accuracy"])
