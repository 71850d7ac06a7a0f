"""Networks are outlined without weights, without random numbers and without PyTorch's compiler."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import sensorium
from sensorium.model import on_meta
from sensorium.registry import encoders

LOAD = "import sys, sensorium; sensorium.load(sys.argv[1]); print('torch._dynamo' in sys.modules)"


@pytest.mark.unit
def test_outlined_modules_have_shapes_and_draw_nothing():
    before = torch.random.get_rng_state()
    with on_meta():
        modules = [nn.Embedding(5, 3), nn.Linear(4, 2), nn.Conv1d(2, 3, 5), nn.LSTM(2, 4), nn.MultiheadAttention(8, 2)]
        modules.append(encoders.load("tabular")([{"levels": 3}, {"floats": 2, "edges": np.arange(4.0)}]))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(weight.is_meta for module in modules for weight in module.parameters())
    assert [tuple(weight.shape) for weight in modules[0].parameters()] == [(5, 3)]
    built = encoders.load("tabular")([{"levels": 3}, {"floats": 2, "edges": np.arange(4.0)}])
    assert {k: v.shape for k, v in built.state_dict().items()} == {
        k: v.shape for k, v in modules[-1].state_dict().items()
    }


@pytest.mark.unit
def test_modules_outside_of_an_outline_are_initialised():
    with on_meta():
        pass
    assert nn.Embedding(5, 3).weight.std() > 0.1 and nn.Linear(4, 2).weight.std() > 0


@pytest.mark.slow
def test_loading_does_not_import_the_compiler(tmp_path):
    table = {"a": np.arange(40.0), "c": ["a", "b"] * 20, "t": ["a nice film", "a bad book"] * 20, "y": ["p", "q"] * 20}
    sensorium.fit(table, "y", epochs=1, progress=False).save(tmp_path / "m")
    run = [sys.executable, "-c", LOAD, str(tmp_path / "m")]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() == "False"
