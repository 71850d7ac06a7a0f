"""Trials in worker processes: the same results, and nothing left behind whatever happens to a worker."""

import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import sensorium
from prepared import prepare
from sensorium.errors import ConfigError, TrainingError
from sensorium.trials import Control, TrialSpec, check_workers, choose_runner, run_trial

GOOD, HOT = TrialSpec("usual"), TrialSpec("hot", settings={"train": {"learning_rate": 1e30}})
LONG = TrialSpec("long", settings={"train": {"epochs": 400, "patience": None}})
MEASURED = {"seconds", "peak_memory_mb", "energy_j", "rows_per_second"}
FUSIONS = ["concat", "late", "gated", "weighted_sum", "multiplicative", "attention"]


@pytest.fixture(scope="module")
def data(tabular):
    return prepare(tabular, {"target": "label", "train": {"epochs": 1}, "width": 8})


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def workers_of_this_process():
    """Process ids, by what Linux says of them."""
    numbers = [int(n) for path in Path("/proc/self/task").glob("*/children") for n in path.read_text().split()]
    return [number for number in numbers if b"popen_loky" in Path(f"/proc/{number}/cmdline").read_bytes()]


@pytest.mark.parametrize(
    ("workers", "more"), [(2, {"stream": True}), (2, {"device": "cuda"})], ids=["stream", "device"]
)
def test_workers_that_cannot_share_the_work_are_refused(workers, more):
    with pytest.raises(ConfigError) as caught:
        check_workers(workers, **{"stream": False, "device": "cpu"} | more)
    assert caught.value.place == "workers"


class LoadsOnlyHere(nn.Module):
    """A module whose pickle is loaded in this process only."""

    def __init__(self, process):
        super().__init__()
        self.words = nn.EmbeddingBag(40_000, 8)
        self.process = process

    def forward(self, tokens):
        return self.words(tokens)

    def __setstate__(self, state):
        if state["process"] != os.getpid():
            raise RuntimeError("no device here")
        self.__dict__.update(state)


@pytest.mark.slow
def test_a_table_that_a_worker_cannot_load_is_an_error_with_the_reason(tabular, temporary):
    module, text = LoadsOnlyHere(os.getpid()), {"text": "text"}
    with pytest.raises(ConfigError, match="a worker process cannot load the table: RuntimeError: no device here"):
        sensorium.compare(
            tabular, "label", encoders={"text": module}, modalities=text, fusions=["concat"], baselines=["none"],
            epochs=1, workers=2, progress=False,
        )  # fmt: skip
    assert not list(temporary.iterdir())


@pytest.mark.slow
def test_a_trial_that_fails_in_a_worker_is_a_result_with_its_error(data, temporary):
    told = []
    results = list(choose_runner(data, 2).run([HOT, GOOD], Control(), told.append))
    here = [run_trial(data, spec) for spec in (HOT, GOOD)]
    assert [result.spec for result in results] == told == [HOT, GOOD]
    assert isinstance(results[0].error, TrainingError)
    assert results[0].error.to_json() == here[0].error.to_json()
    assert results[1].error is None
    assert np.array_equal(results[1].outcomes["test"].scores, here[1].outcomes["test"].scores)
    assert not list(temporary.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux which processes there are")
@pytest.mark.parametrize("finished", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_worker_that_is_killed_is_a_clear_error_and_leaves_nothing(finished, data, temporary):
    """While it starts, and while it trains; a folder that an earlier process left when it was killed goes, too."""
    waited = []
    (temporary / "sensorium-trials-earlier").mkdir()
    (temporary / "sensorium-trials-earlier" / ".sensorium-lock").touch()

    def kill(spec):
        waited.append(spec)
        if len(waited) == finished + 1:
            workers = workers_of_this_process()
            assert workers and list(temporary.iterdir())
            os.kill(workers[-1], signal.SIGKILL)

    with pytest.raises(TrainingError, match="a worker process was killed before its trial finished") as caught:
        list(choose_runner(data, 2).run([GOOD, LONG, LONG], Control(), kill))
    assert "workers=1" in caught.value.cure
    assert len(waited) == finished + 1
    assert not workers_of_this_process()
    assert not list(temporary.iterdir())


@pytest.mark.slow
def test_two_workers_compare_as_one_does(tabular):
    def table(workers):
        found = sensorium.compare(
            tabular,
            "label",
            fusions=FUSIONS,
            baselines=["none"],
            epochs=1,
            width=8,
            workers=workers,
            threads=2,
            progress=False,
        )
        rows = found.to_json()["results"]
        results = [{key: value for key, value in row.items() if key not in MEASURED} for row in rows]
        chosen = found.best_single, found.best_fused, found.difference, found.helps, found.left_out
        return results, chosen

    one, two = table(1), table(2)
    assert [row["name"] for row in one[0]] == ["tabular", "text", *FUSIONS]
    assert two == one
