"""A network that the memory cannot hold is refused before a cell is decoded."""

import re
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import sensorium
from sensorium.config import TrainConfig
from sensorium.errors import OutOfMemoryError
from sensorium.model import Blueprint, TowerPlan
from sensorium.planning import _prepared
from sensorium.runtime import memory
from sensorium.train import size

ROWS = 60


@pytest.fixture
def fit(monkeypatch):
    """fit(**settings): cells are not to be decoded."""

    def refuse(*_, **__):
        raise AssertionError("cells were decoded before the size was checked")

    def fit(**settings):
        table = {"text": [f"film {k % 7} was good" for k in range(ROWS)], "x": list(range(1, ROWS + 1))}
        table["y"] = ["a", "b"] * (ROWS // 2)
        modalities = {"text": "text", "x": "number"}
        return sensorium.fit(table, "y", modalities=modalities, epochs=1, progress=False, **settings)

    monkeypatch.setattr(_prepared, "prepare_columns", refuse)
    return fit


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"encoders": {"text": {"name": "text_cnn", "filters": 10**8}}}, "encoder 'text_cnn' of 'text', with 57,9"),
        ({"encoders": {"text": {"name": "bilstm", "hidden": 2 * 10**9}}}, "'bilstm' of 'text'"),  # more than int64
        ({"fusion": {"name": "low_rank", "rank": 10**9}}, "fusion 'low_rank', with"),
    ],
)
def test_the_largest_part_is_named(settings, place, fit):
    with pytest.raises(OutOfMemoryError, match="the network is too large") as caught:
        fit(**settings)
    assert place in caught.value.place and "smaller options" in caught.value.cure


def test_a_frozen_part_has_no_gradient(fit, monkeypatch):
    needed = {}
    for name, settings in {"trained": {}, "frozen": {"freeze": ["text"]}, "sgd": {"optimizer": "sgd"}}.items():
        monkeypatch.setattr(size, "usable_memory", lambda: 1)
        with pytest.raises(OutOfMemoryError) as caught:
            fit(encoders={"text": {"name": "text_cnn", "filters": 10**6}}, train=settings)
        needed[name] = float(re.search(r"needs ([\d.]+) GB", caught.value.finding)[1])
    assert needed["sgd"] == pytest.approx(needed["trained"] * 3 / 4, abs=0.02)
    assert needed["frozen"] < needed["trained"] * 0.6


def test_the_limit_of_a_container_counts(fit, monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "group_folders", lambda controller: [tmp_path])
    limit.write_text("1000000\n")
    assert memory.usable_memory() == 1_000_000
    with pytest.raises(OutOfMemoryError, match=r"more than the 0\.00 GB that can be used"):
        fit()
    limit.write_text("max\n")
    assert memory.usable_memory() > 1_000_000


def test_the_part_is_named_by_its_place_not_by_its_name():
    """The name of one tower may begin with that of another, or be that of the fusion."""
    towers = [TowerPlan(name, [name], "bilstm", {}) for name in ("a", "a.b", "fusion")]
    parts = [(tower.name, nn.Linear(2, 10**place)) for place, tower in zip((1, 4, 2), towers, strict=True)]
    network = SimpleNamespace(parts=[*parts, ("fusion", nn.Linear(2, 2)), ("head", nn.Linear(2, 2))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(size, "usable_memory", lambda: 1)
        with pytest.raises(OutOfMemoryError) as caught:
            size.check_size(network, Blueprint(towers, "concat", {}, 4), TrainConfig(), torch.device("cpu"))
    assert caught.value.place == "encoder 'bilstm' of 'a.b', with 30,000 weights"


def test_weights_that_two_towers_share_count_once():
    towers, shared = [TowerPlan(name, [name], "module", {}) for name in ("a", "b")], nn.Linear(999, 1000)
    parts = [("a", shared), ("b", shared), ("fusion", nn.Identity()), ("head", nn.Identity())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(size, "usable_memory", lambda: 16_000_000)  # a million weights of four bytes, four times
        network, blueprint = SimpleNamespace(parts=parts), Blueprint(towers, "concat", {}, 4)
        size.check_size(network, blueprint, TrainConfig(), torch.device("cpu"))
