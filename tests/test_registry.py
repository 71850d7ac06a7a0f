"""One file is one member: found by its name, listed without being imported, added to from outside."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from sensorium.errors import ConfigError, UnknownNameError
from sensorium.registry import KINDS, Registry, encoders, fusions, metrics, modalities, tasks

MEMBERS = [(kind, name) for kind, registry in KINDS.items() for name in registry.names()]


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_every_member_loads_and_says_what_it_is(kind, name):
    entry = KINDS[kind].entry(name)
    assert entry.load() is not None
    assert len(entry.summary) > 10, f"{entry.path} has no docstring whose first line says what it is"


@pytest.mark.parametrize(
    ("registry", "name", "option"), [(fusions, "attention", "heads"), (encoders, "bilstm", "hidden")]
)
def test_options_are_read_without_importing(registry, name, option):
    script = f"""
    import sys
    from sensorium.registry import KINDS
    print([o.name for o in KINDS[{registry.kind!r}].entry({name!r}).options()], "torch" in sys.modules)
    """
    out = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert option in out.stdout
    assert "False" in out.stdout


def test_unknown_names_get_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'gated'"):
        fusions.entry("gatd")


def test_a_file_without_its_member_is_an_error(tmp_path, monkeypatch):
    package = tmp_path / "strange"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "lonely.py").write_text('"""A file."""\n\ndef other(): ...\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="defines nothing called 'lonely'"):
        Registry("thing", "strange").load("lonely")


@pytest.fixture
def plugin(tmp_path):
    """A package of somebody else's, installed beside Sensorium: one file each of four kinds and a metric."""
    files = {
        "fusion/peak.py": '''
            """The largest of the modalities' values, feature by feature."""
            import torch
            from torch import nn
            from sensorium.fusion._base import stack

            class Peak(nn.Module):
                level = "vector"
                own_widths = False
                def __init__(self, widths, width, *, bonus: float = 0.0):
                    super().__init__()
                    self.width, self.bonus = width, bonus
                def forward(self, tokens, present):
                    return stack(tokens).masked_fill(~present[..., None], -torch.inf).amax(1) + self.bonus
                def shares(self, tokens, present):
                    return None
            ''',
        "encoders/bag.py": '''
            """The mean of embedded words."""
            from torch import nn
            from sensorium.batch import Tokens
            ACCEPTS = ("text",)

            class Bag(nn.Module):
                def __init__(self, vocabulary, *, size: int = 16):
                    super().__init__()
                    self.width, self.embed = size, nn.Embedding(vocabulary, size)
                def forward(self, cells):
                    return Tokens(self.embed(cells.values) * cells.mask[..., None], cells.mask)
            ''',
        "modalities/colour.py": '''
            """A colour as #rrggbb."""
            from dataclasses import dataclass
            import numpy as np
            from sensorium.modalities import Encoded, Modality, Work
            from sensorium.schema import Guess

            @dataclass(frozen=True)
            class Colour(Modality):
                encoder = "tabular"
                tower = "tabular"
                @classmethod
                def looks_like(cls, column):
                    values = column.sample(50) if column.is_string else []
                    return Guess(0.99, "as #ff0000") if values and all(v[0] == "#" for v in values) else None
                @classmethod
                def learn(cls, column):
                    return cls()
                def encode(self, column, work=Work()):
                    cells = ["#808080" if v is None else v for v in column.data.to_pylist()]
                    parts = [[int(c[i:i + 2], 16) / 127.5 - 1 for i in (1, 3, 5)] for c in cells]
                    return Encoded(np.array(parts, np.float32), column.present, [])
                def facts(self):
                    return {"floats": 3}
                def describe(self):
                    return "red, green, blue"
            ''',
        "tasks/parity.py": '''
            """Is a count odd?"""
            from dataclasses import dataclass
            from sensorium.tasks.binary import Binary

            @dataclass(frozen=True)
            class Parity(Binary):
                @classmethod
                def looks_like(cls, column):
                    return None
            ''',
        "metrics/half.py": '''
            """Half the accuracy."""
            from sensorium.metrics.accuracy import accuracy
            TASKS = ("binary", "multiclass", "parity")

            def half(outcome, weights):
                return accuracy(outcome, weights) / 2
            ''',
    }
    for name, text in files.items():
        path = tmp_path / "addons" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    info = tmp_path / "addons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: addons\nVersion: 1.0\n")
    points = "\n".join(
        f"[sensorium.{k}]\nmine = addons.{k}" for k in ("fusion", "encoders", "modalities", "tasks", "metrics")
    )
    (info / "entry_points.txt").write_text(points)
    return tmp_path


def test_one_dropped_file_is_used_by_name_from_the_command_line(plugin, tmp_path):
    """A modality, an encoder, a fusion, a task and a metric, each one file in another package."""
    rows = ["shade,remark,count"]
    for i in range(60):
        shade, word = ("#ff1010", "warm glowing") if i % 2 else ("#1010ff", "cold quiet")
        rows.append(f"{shade},something {word} number {i},{i % 2}")
    table = tmp_path / "t.csv"
    table.write_text("\n".join(rows))
    environment = {**os.environ, "PYTHONPATH": str(plugin)}
    command = [sys.executable, "-m", "sensorium"]
    flags = [
        "--target",
        "count",
        "--fusion",
        "peak",
        "--task",
        "parity",
        "--epochs",
        "4",
        "--out",
        str(tmp_path / "run"),
    ]
    flags += ["--set", "encoders.remark=bag", "--set", "fusion.bonus=0.5", "--json", "--quiet"]
    fit = subprocess.run([*command, "fit", str(table), *flags], env=environment, capture_output=True, text=True)
    assert fit.returncode == 0, fit.stderr
    found = json.loads(fit.stdout.splitlines()[-1])
    assert found["columns"] == {"shade": "colour", "remark": "text"}
    assert (found["fusion"], found["task"]) == ("peak", "parity")
    assert found["metrics"]["val"]["half"] <= 0.5
    config = json.loads((tmp_path / "run" / "model" / "model.json").read_text())["network"]
    assert [tower["encoder"] for tower in config["towers"]] == ["tabular", "bag"]
    assert config["fusion_options"] == {"bonus": 0.5}
    listing = subprocess.run([*command, "list", "fusions"], env=environment, capture_output=True, text=True)
    assert "The largest of the modalities' values" in listing.stdout
    alone = subprocess.run([*command, "evaluate", str(tmp_path / "run"), str(table)], capture_output=True, text=True)
    assert alone.returncode == 1
    assert "Traceback" not in alone.stderr


def test_the_kinds_are_those_of_the_house():
    assert {r.kind for r in (modalities, encoders, fusions, tasks, metrics)} < set(KINDS)
