"""`sensorium doctor` reports facts, and problems with their cures, whatever is broken."""

import importlib.metadata
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from calls import answer, call

import sensorium
from sensorium.cli import _facts
from sensorium.registry.weights import PACKAGED
from sensorium.runtime.cpus import Cpus

KEYS = {
    "version", "python", "platform", "torch", "torch_error", "devices", "threads", "cpus", "environment", "memory",
    "cache", "extras", "weights", "problems",
}  # fmt: skip


def test_facts_are_those_of_this_installation(tmp_path, monkeypatch):
    monkeypatch.setenv("SENSORIUM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "entry").mkdir(parents=True)
    (tmp_path / "cache" / "entry" / "values").write_bytes(b"1" * 1000)
    found = answer("doctor")
    assert set(found) == KEYS
    assert (found["version"], found["torch"]) == (sensorium.__version__, torch.__version__)
    assert found["devices"][0] == "cpu" and found["cpus"]["usable"] >= 1
    assert found["cache"] == {"folder": str(tmp_path / "cache"), "bytes": 1000, "writable": True}
    assert found["problems"] == []


def test_each_fact_is_a_line(monkeypatch):
    monkeypatch.setattr(_facts, "find_cpus", lambda: Cpus(16, 8, 2.5))
    lines = call("doctor").stdout.splitlines()
    starts = ("sensorium", "torch:", "devices:", "CPUs:", "threads:", "environment of threads:", "memory:", "cache:")
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=False))
    assert (
        "CPUs: 2 usable (the machine has 16, the affinity of the process allows 8, the quota of the container allows"
        in ("\n".join(lines))
    )
    assert call("doctor", "--quiet").stdout == ""


def test_missing_and_broken_packages_have_their_command(monkeypatch):
    def metadata(name):
        raise {"av": importlib.metadata.PackageNotFoundError, "optuna": OSError}.get(name, KeyError)(name)

    monkeypatch.setattr(
        importlib.metadata,
        "requires",
        lambda name: ["av>=14.0; extra == 'video'", 'optuna>=4.2 ; extra == "search"', "x"],
    )
    monkeypatch.setattr(importlib.metadata, "distribution", metadata)
    found = call("doctor").stdout
    assert "extra video: av missing; pip install 'sensorium[video]'" in found
    assert "! the package optuna of the extra search is damaged: pip install --force-reinstall optuna" in found


def test_every_extra_of_the_distribution_is_shown(monkeypatch):
    """With metadata as an installation of this source has it. Extras without packages have nothing to show."""
    content = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(content)["project"]["optional-dependencies"]
    requires = [f"{package}; extra == '{extra}'" for extra, packages in extras.items() for package in packages]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: requires)
    assert {extra for extra, packages in extras.items() if not packages} == {"demo", "sklearn"}
    assert set(answer("doctor")["extras"]) == set(extras) - {"dev", "demo", "sklearn"}


@pytest.mark.parametrize(
    ("quota", "memory", "cure"),
    [(0.5, None, "! the container may use 0.5 CPUs: give it"), (None, 10**9, "! only 1.0 GB of memory can be used")],
)
def test_small_limits_are_problems(monkeypatch, quota, memory, cure):
    monkeypatch.setattr(_facts, "find_cpus", lambda: Cpus(4, 4, quota))
    monkeypatch.setattr(_facts, "usable_memory", lambda: memory)
    assert cure in call("doctor").stdout


@pytest.mark.parametrize("error", ["RuntimeError", pytest.param("SystemExit", marks=pytest.mark.slow)])
def test_torch_that_cannot_be_imported_is_a_problem(tmp_path, error):
    """In a process of its own, whose torch and optional packages raise when they are imported."""
    for package in ("torch", "optuna", "transformers"):
        (tmp_path / f"{package}.py").write_text(f"raise {error}('damaged library')")
    path = os.pathsep.join([str(tmp_path), str(Path(sensorium.__file__).parent.parent)])
    done = subprocess.run(
        [sys.executable, "-m", "sensorium", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["torch_error"] == f"{error}: damaged library"
    assert "pip install --force-reinstall torch" in found["problems"][0]


def test_weights_have_the_command_of_the_listing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = call("doctor").stdout
    for weights in PACKAGED:
        assert f"weights {weights.name} (encoder {weights.encoder}): missing; {weights.install}\n" in found
    assert set(_facts.find_facts()["weights"]) == {weights.package for weights in PACKAGED}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "lines"),
    [
        pytest.param(
            {}, ["fewer for small networks", "GOMP_SPINCOUNT=1000 (set by Sensorium)"], marks=pytest.mark.slow
        ),
        (
            {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "7"},
            ["threads: 1, set by OMP_NUM_THREADS (setting: threads)", "GOMP_SPINCOUNT=7\n"],
        ),
        (
            {"OMP_NUM_THREADS": "two"},
            ["fewer for small networks", "! OMP_NUM_THREADS=two is not a number of threads and is ignored: unset it"],
        ),
    ],
)
def test_variables_name_who_set_them(given, lines):
    """In a process of its own, because libraries read the variables when they are loaded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_", "GOMP_", "KMP_"))}
    environment = {**kept, "PYTHONPATH": str(Path(sensorium.__file__).parent.parent), **given}
    command = [sys.executable, "-m", "sensorium", "doctor"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert all(line in found for line in lines), found
