"""One file is one member: found by its name, listed without being imported, added to from outside."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sensorium.errors import ConfigError, UnknownNameError
from sensorium.registry import KINDS, Registry, augmentations, encoders, fusions, metrics, modalities, tasks, techniques

ADDONS = Path(__file__).parent / "addons"
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


@pytest.mark.unit
def test_unknown_names_get_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'gated'"):
        fusions.entry("gatd")


@pytest.mark.unit
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
    """A package of somebody else's, installed beside Sensorium: one file of each kind."""
    shutil.copytree(ADDONS, tmp_path / "addons", ignore=shutil.ignore_patterns("__pycache__"))
    info = tmp_path / "addons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: addons\nVersion: 1.0\n")
    points = "\n".join(f"[sensorium.{folder.name}]\nmine = addons.{folder.name}" for folder in ADDONS.iterdir())
    (info / "entry_points.txt").write_text(points)
    return tmp_path


@pytest.mark.slow
def test_one_dropped_file_is_used_by_name_from_the_command_line(plugin, tmp_path):
    """A modality, an augmentation, an encoder, a fusion, a task, a metric, each one file in another package."""
    rows = ["shade,remark,count"]
    for i in range(60):
        shade, word = ("#ff1010", "warm glowing") if i % 2 else ("#1010ff", "cold quiet")
        rows.append(f"{shade},something {word} number {i},{i % 2}")
    table = tmp_path / "t.csv"
    table.write_text("\n".join(rows))
    paths = [str(plugin), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
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
    flags += ["--set", "encoders.remark=bag", "--set", "fusion.bonus=0.5", "--quiet"]
    flags += ["--set", "augment.shade.fade.rest=0.5", "--json"]
    fit = subprocess.run([*command, "fit", str(table), *flags], env=environment, capture_output=True, text=True)
    assert fit.returncode == 0, fit.stderr
    found = json.loads(fit.stdout.splitlines()[-1])
    assert found["columns"] == {"shade": "colour", "remark": "text"}
    assert (found["fusion"], found["task"]) == ("peak", "parity")
    assert found["metrics"]["val"]["half"] <= 0.5
    model = json.loads((tmp_path / "run" / "model" / "model.json").read_text())
    config = model["members"][0]["network"]
    assert [tower["encoder"] for tower in config["towers"]] == ["tabular", "bag"]
    assert config["fusion_options"] == {"bonus": 0.5}
    assert model["card"]["augment"] == {"shade": {"fade": {"probability": 0.5, "rest": 0.5}}}
    listing = subprocess.run([*command, "list", "fusions"], env=environment, capture_output=True, text=True)
    assert "The largest of the modalities' values" in listing.stdout
    alone = subprocess.run([*command, "evaluate", str(tmp_path / "run"), str(table)], capture_output=True, text=True)
    assert alone.returncode == 1
    assert "Traceback" not in alone.stderr


@pytest.mark.unit
def test_the_kinds_are_those_of_the_house():
    assert {r.kind for r in (modalities, augmentations, encoders, fusions, techniques, tasks, metrics)} < set(KINDS)
