"""`train.compile`: the same learning as compiled code, and a model that is saved as if it had not been."""

import json
import subprocess
import sys

import pytest
import torch

import sensorium
from sensorium.errors import ConfigError
from sensorium.train.compiled import COMPILERS, check_compiler

# In a process of its own: axes are not checked in it, which no compiler could follow.
SCRIPT = """
import json, sys, warnings
import sensorium
from torch._dynamo.utils import counters
path, out = sys.argv[1:]
models = [
    sensorium.fit(path, "label", columns=["number", "category"], width=8, progress=False,
                  fusion={"name": "concat", "dropout": 0}, out=out if on else None,
                  train={"epochs": 2, "compile": on, "batch_size": 32},
                  encoders={"tabular": {"name": "tabular", "dropout": 0}})
    for on in (False, True)
]
answers = [model.predict_proba(path).tolist() for model in models]
print(json.dumps({"answers": answers, "names": [list(model.fitted.network.state_dict()) for model in models],
                  "graphs": counters["stats"]["unique_graphs"],
                  "plain": all(part._compiled_call_impl is None for part in models[1].fitted.network.modules())}))
"""


def has_compiler():
    try:
        check_compiler(torch.device("cpu"))
    except ConfigError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
def test_it_learns_the_same_and_is_saved_the_same(tabular, tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tabular), str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout.splitlines()[-1])
    assert told["graphs"] > 0
    plain, compiled = (torch.tensor(answers) for answers in told["answers"])
    torch.testing.assert_close(plain, compiled, rtol=1e-3, atol=1e-4)
    assert told["names"][0] == told["names"][1]
    assert told["plain"]
    assert sensorium.load(tmp_path).predict_proba(tabular) == pytest.approx(compiled.numpy(), abs=1e-6)


def test_without_a_compiler_it_is_refused(tabular, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ConfigError, match=r"no compiler for the CPU(.|\n)*train.compile(.|\n)*" + COMPILERS[0][0]):
        sensorium.fit(tabular, "label", train={"compile": True}, progress=False)


def test_the_compiler_that_is_named_has_to_be_there(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match="CXX"):
        check_compiler(torch.device("cpu"))
