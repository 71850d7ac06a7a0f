"""Every figure that a search prints is that of the model: one training has one validation metric."""

import io
import json
import re

import numpy as np
import pytest
from rich.console import Console
from ticks import Ticks, Told

from prepared import prepare
from sensorium.findings import count
from sensorium.predictor import Model
from sensorium.report import fit_text
from sensorium.strategies import Budget, Request, Session
from sensorium.strategies._search._space import open_space, spec_of
from sensorium.strategies.search import Search
from sensorium.trials import Control, run_trial

TRAINING = re.compile(
    r"^(?P<name>.+) \(\d+ s\): accuracy (?P<value>[\d.]+) in epoch (?P<best>\d+) of (?P<trained>\d+);"
)
EPOCH = re.compile(r"epoch (\d+)/\d+, .*validation accuracy ([\d.]+)")


class Printed(Told):
    """Reporter that also keeps the notes of progress bars, in their order."""

    def note(self, text):
        self.lines.append(text)


@pytest.fixture(scope="module")
def table():
    """A text that is empty in a third of the rows, and a number: rows without the text get the prior."""
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b", "c"], 300, p=[0.5, 0.3, 0.2])
    words = {"a": "red apple", "b": "blue sky", "c": "green tree"}
    note = [f"{words[label]} {random.choice(list('xyz'))}" if random.random() < 0.67 else None for label in labels]
    number = [{"a": 0.0, "b": 1.5, "c": 3.0}[label] + random.normal(0, 1.5) for label in labels]
    return {"number": number, "note": note, "label": list(labels)}


@pytest.fixture(scope="module")
def searched(table):
    split = {"validation": 0.4, "test": 0.2}
    data = prepare(table, {"target": "label", "train": {"epochs": 3, "metric": "accuracy"}, "split": split})
    budget, report = Budget(75, Ticks()), Printed()
    session = Session.of(data, Request(data.plan.config, budget), Control(report))
    search = Search(session.request)
    result = search.run(session, None)
    return data, result, report.lines, json.loads(search.files()["search.json"])


def spec_of_trial(data, trial):
    towers = [trial["key"].removeprefix("modality ")] if trial["key"].startswith("modality ") else None
    return spec_of(data.plan, trial["name"], {**open_space(data.plan).plain, **trial["choices"]}, towers)


@pytest.mark.slow
def test_every_figure_of_a_training_is_what_evaluate_returns_for_its_model(searched):
    data, _, lines, record = searched
    printed = [TRAINING.match(line) for line in lines if TRAINING.match(line)]
    own = sorted(
        ({**trial, **training} for trial in record["trials"] for training in trial["trainings"]),
        key=lambda training: training["number"],
    )
    assert [found["name"] for found in printed] == [training["name"] for training in own]
    for found, training in zip(printed, own, strict=True):
        control = Control(judge=False)
        model = Model(run_trial(data, spec_of_trial(data, training).with_epochs(training["epochs"]), control).model)
        evaluated = model.evaluate(data.plan.table, "validation").metrics["accuracy"]
        assert training["metric"] == pytest.approx(evaluated, abs=1e-9)
        assert found["value"] == f"{evaluated:.4f}"
        assert (int(found["best"]), int(found["trained"])) == (training["best"], training["trained"])
        history = model.fitted.card.history
        assert history.epochs[history.best - 1].metric == pytest.approx(evaluated, abs=1e-9)


def test_progress_of_the_best_epoch_shows_the_figure_of_the_training(searched):
    lines = searched[2]
    epochs = {}
    for line in lines:
        if found := EPOCH.search(line):
            epochs[int(found[1])] = float(found[2])
        elif found := TRAINING.match(line):
            assert epochs[int(found["best"])] == pytest.approx(float(found["value"]), abs=6e-4)
            epochs = {}


def test_a_trial_is_listed_once_with_its_trainings_and_all_counts_agree(searched):
    _, result, lines, record = searched
    names = [trial["name"] for trial in record["trials"]]
    count = sum(len(trial["trainings"]) for trial in record["trials"])
    assert len(set(names)) == len(names)
    assert count > len(names)  # some trial was trained in several rungs
    assert record["trainings"] == count == sum(bool(TRAINING.match(line)) for line in lines)
    card = result.model.card.search
    assert (card.trials, card.trainings) == (len(names), count)
    for trial in card.best:
        own = next(each for each in record["trials"] if each["key"] == trial.key)
        assert trial.to_json() == own
        assert trial.metric == max(training.metric for training in trial.trainings)


def test_the_table_shows_each_trial_once_with_the_figures_of_the_record(searched):
    _, result, _, record = searched
    card = result.model.card
    with io.StringIO() as stream:
        Console(file=stream, width=250).print(fit_text([], card, result.model.data, None))
        text = stream.getvalue()
    assert f"search: {len(record['trials'])} trials with {record['trainings']} trainings" in text
    shown = card.search.best
    for trial in shown:
        (row,) = [line for line in text.splitlines() if line.startswith(f"{trial.name}  ")]
        assert f"{trial.metric:.4f}" in row
        history = ", ".join(f"{own.metric:.4f} after {count(own.trained, 'epoch')}" for own in trial.trainings)
        assert history in row
    assert len(shown) == len(record["trials"]) or f"the best {len(shown)}:" in text
    assert f"({card.search.metric} {card.search.validation:.4f})" in text


def test_the_chosen_model_has_the_validation_metric_that_is_printed(searched):
    data, result, _, record = searched
    evaluated = Model(result.model).evaluate(data.plan.table, "validation").metrics["accuracy"]
    assert record["validation"] == pytest.approx(evaluated, abs=1e-9)
    best = max(trial["metric"] for trial in record["trials"])
    assert evaluated == pytest.approx(best) if len(record["chosen"]) == 1 else evaluated > best
