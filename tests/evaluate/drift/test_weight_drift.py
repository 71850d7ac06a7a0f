"""How far each part of a network is from where it was, against norms counted by hand."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from sensorium.evaluate.drift import measure_weight_shift

pytestmark = pytest.mark.unit


def network(**parts):
    """Parts with one weight each, and the logits of the head."""
    modules = []
    for name, weight in parts.items():
        module = nn.Linear(1, 1, bias=False)
        module.weight = nn.Parameter(torch.tensor(weight))
        modules.append((name, module))
    return SimpleNamespace(parts=modules, outputs=len(parts["head"]))


def test_a_part_moves_by_the_norm_of_its_change_over_its_norm():
    before = network(text=[[3.0, 4.0]], fusion=[[1.0]], head=[[1.0, 1.0], [1.0, 1.0]])
    after = network(text=[[3.0, 14.0]], fusion=[[1.0]], head=[[1.0, 1.0], [1.0, 2.0]])
    assert measure_weight_shift(before, after) == {"text": 2.0, "fusion": 0.0, "head": 0.5}


def test_a_part_of_zeros_has_no_scale():
    before, after = network(text=[[0.0]], head=[[1.0]]), network(text=[[5.0]], head=[[1.0]])
    assert measure_weight_shift(before, after) == {"text": None, "head": 0.0}


def test_rows_of_new_labels_have_not_moved_from_anywhere():
    before = network(head=[[1.0, 0.0], [0.0, 1.0]])
    after = network(head=[[1.0, 0.0], [7.0, 7.0], [0.0, 3.0]])
    assert measure_weight_shift(before, after, index_map=[0, 2]) == {"head": round(2 / 2**0.5, 6)}
