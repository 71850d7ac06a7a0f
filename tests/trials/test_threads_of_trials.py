"""The number of threads of a training: chosen by its work, set for the call, recorded for a resumed run."""

import json
from typing import ClassVar

import pytest
import torch
from torch import nn

import sensorium
from prepared import prepare, trial
from sensorium.model import prediction_work, training_work
from sensorium.predictor import _scores
from sensorium.prepare import prepare_columns
from sensorium.runtime import thread_environment, threads
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing.contents import WORDS
from sensorium.trials._work import training_of

EPOCHS = {"epochs": 2, "patience": None, "batch_size": 16}


class Seen(sensorium.Callback):
    """Notes with how many threads torch computes; may stop the run."""

    def __init__(self, stop=0):
        self.numbers, self.stop = [], stop

    def on_epoch_end(self, event):
        self.numbers.append(torch.get_num_threads())
        if event.epoch == self.stop:
            raise InterruptedError


@pytest.fixture
def cpus(monkeypatch):
    """cpus(n): the process may use so many CPUs, in a torch that uses four."""
    for name in thread_environment.SHOWN:
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield lambda number: monkeypatch.setattr(threads, "usable_cpus", lambda: number)
    torch.set_num_threads(before)


@pytest.fixture
def all_work_is_large(monkeypatch):
    monkeypatch.setattr(threads, "PER_THREAD", 1)


def fit(table, **settings):
    seen = Seen(settings.pop("stop", 0))
    given = {"train": EPOCHS, "width": 8, "encoders": {"text": "bilstm"}, "progress": False} | settings
    model = sensorium.fit(table, "label", callbacks=[seen], **given)
    return model, seen.numbers


def test_small_network_is_trained_with_one_thread(tabular, cpus):
    cpus(2)
    _, numbers = fit(tabular)
    assert numbers == [1, 1]
    assert torch.get_num_threads() == 4, "the number of the caller's process is restored"


def test_large_network_uses_the_cpus_that_are_usable(tabular, cpus, all_work_is_large):
    cpus(2)
    assert fit(tabular)[1] == [2, 2]


def test_setting_decides(tabular, cpus):
    cpus(1)
    assert fit(tabular, threads=2)[1] == [2, 2]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "many", 10**9])
def test_wrong_settings_are_errors(tabular, wrong):
    with pytest.raises(sensorium.ConfigError, match="threads"):
        fit(tabular, threads=wrong)


def test_resumed_run_uses_the_number_that_it_recorded(tabular, tmp_path, cpus, all_work_is_large):
    """On a machine with more CPUs and on one with fewer, as sums depend on the number in their last bits."""
    for number, name in [(2, "whole"), (2, "stopped")]:
        cpus(number)
        if name == "whole":
            fit(tabular, out=tmp_path / name)
        else:
            with pytest.raises(sensorium.CallbackError):
                fit(tabular, out=tmp_path / name, stop=2)
    cpus(3)
    model, numbers = fit(tabular, out=tmp_path / "stopped")
    assert numbers == [2]
    assert json.loads((tmp_path / "stopped" / "run.json").read_text())["threads"] == {"most": 2, "exact": False}
    assert model.fitted.digest() == sensorium.load(tmp_path / "whole").fitted.digest()


def test_another_number_is_another_run(tabular, tmp_path, cpus):
    cpus(2)
    with pytest.raises(sensorium.CallbackError):
        fit(tabular, out=tmp_path, stop=2)
    with pytest.raises(sensorium.ConfigError, match="threads was auto, is 2"):
        fit(tabular, out=tmp_path, threads=2)
    with pytest.raises(sensorium.TrainingError, match="threads was auto, is 2"):
        fit(tabular, out=tmp_path, threads=2, resume=True)


@pytest.mark.slow
def test_comparison_keeps_its_number(tabular, tmp_path, cpus):
    def compare():
        given = {"fusions": ["late"], "baselines": ["none"], "train": {"epochs": 1}, "width": 8}
        return sensorium.compare(tabular, "label", out=tmp_path, progress=False, **given)

    cpus(2)
    first = compare()
    cpus(3)
    again = compare()
    assert json.loads((tmp_path / "run.json").read_text())["threads"]["most"] == 2
    seconds = [[row["seconds"] for row in found.to_json()["results"]] for found in (first, again)]
    assert seconds[0] == seconds[1], "the second one loads the networks of the first"


class Noting(nn.Module):
    """Encoder of texts that notes with how many threads it predicts."""

    numbers: ClassVar[list[int]] = []

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 8)

    def forward(self, tokens):
        if not self.training:
            self.numbers.append(torch.get_num_threads())
        return self.layer(tokens.float()[..., None]).mean(1)


def test_few_rows_are_predicted_with_one_thread_and_many_rows_with_all(cpus, monkeypatch):
    texts = [" ".join("abcdefgh"[(row + place) % 8] * 3 for place in range(16)) for row in range(80)]
    settings = {"encoders": {"text": Noting()}, "modalities": {"text": "text"}, "train": {"epochs": 1}}
    cpus(2)
    model = sensorium.fit({"text": texts, "label": ["a", "b"] * 40}, "label", progress=False, **settings)
    monkeypatch.setattr(threads, "PER_THREAD", model.fitted.work(prepare_rows(model, texts)) // 2)
    seen = {}
    for rows in (1, 80):
        Noting.numbers.clear()
        model.predict({"text": texts[:rows]})
        seen[rows] = {*Noting.numbers}
    assert seen == {1: {1}, 80: {2}}
    assert torch.get_num_threads() == 4


def prepare_rows(model, texts):
    return prepare_columns(open_table({"text": texts}), model.fitted.learnt, Silent())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoder", "of_a_token"),
    [("bilstm", lambda e: sum(w.numel() for n, w in e.named_parameters() if "weight_" in n)),
     ("text_cnn", lambda e: sum(w.numel() for w in e.parameters() if w.dim() == 3))],
)  # fmt: skip
def test_work_counts_the_products_of_every_token(encoder, of_a_token):
    """Against the formula: each token of a text uses every weight of the layer once."""
    rows, words = 8, 16
    texts = [" ".join("abcdefgh"[(row + place) % 8] * 3 for place in range(words)) for row in range(rows * 4)]
    table = {"text": texts, "label": ["x", "y"] * (rows * 2)}
    settings = {"target": "label", "columns": ["text"], "encoders": {"text": encoder}, "modalities": {"text": "text"}}
    data = prepare(table, settings)
    result = trial(data)
    network = result.model.network
    context = training_of(data, result.model)
    batch = next(context.loader.batches([torch.arange(rows)]))
    tokens = rows * batch.cells["text"].values.shape[1]
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    expected = tokens * of_a_token(network.towers[0].encoder) + rows * sum(layer.weight.numel() for layer in linear)
    trained = sum(weight.numel() for weight in network.parameters())
    assert training_work(network, batch) == pytest.approx(expected + 10 * trained, rel=0.02)
    assert prediction_work(network, batch, 2 * rows) == pytest.approx(2 * expected, rel=0.02)


def test_the_number_of_threads_does_not_depend_on_earlier_predictions(cpus, monkeypatch):
    """Long texts are predicted with as many threads after short ones as before them."""
    short, long = ([" ".join(WORDS[(row + place) % len(WORDS)] for place in range(words)) for row in range(64)]
                   for words in (3, 90))  # fmt: skip
    settings = {"encoders": {"text": "text_cnn"}, "modalities": {"text": "text"}, "epochs": 1, "progress": False}
    model = sensorium.fit({"text": [*short, *long], "label": ["a", "b"] * 64}, "label", **settings)
    cpus(4)
    monkeypatch.setattr(threads, "PER_THREAD", model.fitted.work(prepare_rows(model, long)) // 3)
    found = []

    def note(number, torch_threads=_scores.torch_threads):
        found.append(number)
        return torch_threads(number)

    monkeypatch.setattr(_scores, "torch_threads", note)
    for texts in (short, long, short, long):
        model.predict({"text": texts})
    used = found[1::2]  # every other block is that of counting
    assert used == [1, 3, 1, 3]


def test_small_networks_have_the_same_weights_on_machines_with_one_cpu_and_with_two(tabular, cpus):
    """A machine with one CPU does not count. Small networks have the same weights on every machine."""
    cpus(1)
    data = prepare(tabular, {"target": "label", "train": EPOCHS, "width": 8})
    uncounted = trial(data)
    cpus(2)
    counted = trial(prepare(tabular, {"target": "label", "train": EPOCHS, "width": 8}))
    assert counted.threads == uncounted.threads == 1
    assert counted.model.digest() == uncounted.model.digest()
