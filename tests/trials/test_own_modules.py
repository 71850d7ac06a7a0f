"""Modules of the user that cannot be copied or pickled are errors that name them, before the table is read."""

import threading

import pytest
import torch
from torch import nn

import sensorium
from sensorium.errors import ConfigError

MISSING = "no such table.csv"


class Holds(nn.Module):
    """An encoder with an attribute."""

    def __init__(self, held):
        super().__init__()
        self.words = nn.EmbeddingBag(40_000, 8)
        self.held = held

    def forward(self, tokens):
        return self.words(tokens)


class OnlyHere:
    """It can be copied, but not pickled."""

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("a handle of this process")


def history():
    """A tensor that was computed from a parameter."""
    return nn.Parameter(torch.ones(1)) * 2


@pytest.mark.parametrize("train", [sensorium.fit, sensorium.compare])
@pytest.mark.parametrize(
    ("make", "reason"), [(threading.Lock, "lock"), (lambda: (i for i in "ab"), "generator"), (history, "deepcopy")]
)
def test_a_module_that_cannot_be_copied_is_named(make, reason, train):
    with pytest.raises(ConfigError, match=f"the module Holds cannot be copied: .*{reason}") as caught:
        train(MISSING, "y", encoders={"note": Holds(make())}, progress=False)
    assert caught.value.place == "encoders.note" and "forward" in caught.value.cure


def test_all_modules_that_cannot_be_copied_are_listed():
    modules = {name: Holds(threading.Lock()) for name in ("note", "title")}
    with pytest.raises(ConfigError) as caught:
        sensorium.fit(MISSING, "y", encoders=modules, progress=False)
    assert [fault.place for fault in caught.value.faults] == ["encoders.note", "encoders.title"]


def test_a_module_that_cannot_be_pickled_is_named_if_there_are_workers():
    modules = {"note": Holds(OnlyHere())}
    with pytest.raises(ConfigError, match=r"Holds cannot be handed to worker processes: .*handle of this") as caught:
        sensorium.compare(MISSING, "y", encoders=modules, workers=2, progress=False)
    assert caught.value.place == "encoders.note" and caught.value.cure.startswith("set workers=1")
    with pytest.raises(sensorium.TableError):
        sensorium.compare(MISSING, "y", encoders=modules, progress=False)
