"""Fixtures that tests share. Axes named in annotations are checked at run time where tensors are handled.

Sensorium and torch are imported where they are used: the process that hands out tests to others needs neither.
"""

# ruff: noqa: E402 - the hook and the environment stand before what they act on

import gc
import os
import signal

# Two test processes on two cores: more threads each would only wait for one another. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "0")  # for tests that use several threads on a busy machine
os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process that a test starts compiles every module again

# Under nohup and in the background of a script, signals of the terminal are ignored, in child processes too: tests
# that send one would wait for ever.
for which, usual in (("SIGHUP", signal.SIG_DFL), ("SIGINT", signal.default_int_handler)):
    if hasattr(signal, which) and signal.getsignal(getattr(signal, which)) is signal.SIG_IGN:
        signal.signal(getattr(signal, which), usual)

import axes

axes.install_hook(
    ["sensorium.batch", "sensorium.augment", "sensorium.encoders", "sensorium.fusion", "sensorium.model.network"]
)

import importlib.util
import subprocess
from pathlib import Path

import hypothesis
import pytest

# The same examples in every run, and no deadline: a busy machine must not fail a test.
hypothesis.settings.register_profile("sensorium", deadline=None, derandomize=True)
hypothesis.settings.load_profile("sensorium")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and tests live until the end: no collection of garbage looks at them, such as one per compared model."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_sessionfinish():
    gc.unfreeze()  # libraries report what is left at the end of the process


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """A unit test, its fixtures included, trains nothing and starts no process: that is what keeps the tier quick."""
    if item.get_closest_marker("unit") is None:
        return (yield)
    from sensorium.train.steps import Steps

    def refuse(*_, **__):
        raise AssertionError("a test marked `unit` trains a model or starts a process: take the marker away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Steps, "run", refuse)
        patch.setattr(subprocess.Popen, "__init__", refuse)
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """No test leaves anything in the user's folders, or finds what another run left there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENSORIUM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Files of tests need not outlive a power cut: a fit syncs thirty. What is synced must be open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A table with every modality, 160 rows, a tenth of the cells missing."""
    from sensorium.testing import make_table

    return make_table(tmp_path_factory.mktemp("made"), rows=160, missing=0.1)


@pytest.fixture(scope="session")
def run(made, tmp_path_factory):
    """A run fitted on it; read only."""
    import sensorium

    out = tmp_path_factory.mktemp("run")
    sensorium.fit(made, "label", out=out, epochs=3, progress=False)
    return out


@pytest.fixture(scope="session")
def tabular(tmp_path_factory):
    """A table without files, quick to fit: number, category, text, label."""
    from sensorium.testing import make_table

    return make_table(tmp_path_factory.mktemp("tabular"), rows=120, modalities=["number", "category", "text"])


@pytest.fixture(scope="session")
def packaged_weights():
    """packaged_weights("resemblyzer") → the folder of an installed package; without it the test is skipped."""

    def packaged_weights(name: str) -> Path:
        found = importlib.util.find_spec(name)
        if found is None:
            pytest.skip(f"the package {name}, which holds real weights, is not installed: make test installs it")
        return Path(found.submodule_search_locations[0])

    return packaged_weights


@pytest.fixture
def write(tmp_path):
    """write("a.csv", "x,y\\n1,2\\n") → path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
