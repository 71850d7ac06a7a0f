"""Calls go down the layers of pyproject.toml, as imports do: what the verbs call is traced on a small table.

A call is counted between the nearest frames of this package, whatever library stands between them. What goes up is a
callback: handed down by the caller, or a member that the registry loaded. All of them are named here, with the reason.
"""

import sys
import threading
import tomllib
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path
from types import FunctionType

import pytest

import sensorium
from sensorium.metrics import lower_is_better
from sensorium.testing import make_table

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "sensorium"
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
LEVELS = {name.strip(): level for level, layer in enumerate(CONTRACT["layers"]) for name in layer.split("|")}  # 0: top

# Caller, callee (file:function), and why the second may stand above the first.
CALLBACKS = [
    ("findings/claims.py:best_claim", "*.looks_like", "members of a registry claim columns"),
    ("files/state.py:*", "*.check", "a class checks the state that its base restores"),
    ("files/state.py:*", "table/_notation/*", "pydantic calls the validators of a restored class"),
    ("prepare/findings.py:table_findings", "tasks/*.findings", "the task is given as an argument"),
    ("train/loop.py:*", "trials/*", "the loop tells its trial of the best weights"),
    ("train/events.py:*", "trials/*", "the training asks whoever started it whether to stop"),
    ("planning/_make_plan.py:make_plan", "presets/*", "the preset completes the settings once the schema is known"),
    ("trials/_runner.py:*", "strategies/*", "a runner tells whoever asked for a trial that it is done"),
    ("trials/_runner.py:*", "comparison/*", "a runner tells whoever asked for a trial that it is done"),
    ("table/_column.py:Column.once", "*", "a column keeps the result of an examination, which is given as a function"),
    (
        "model/frozen.py:frozen_encoders",
        "planning/_prepared.py:*.training_cells",
        "cells to count, given as a function",
    ),
    ("prepare/*", "model/features.py:Features.*", "features of a frozen encoder are prepared and kept like a modality"),
    ("*", "model/_outline.py:_WithoutDraws*", "torch asks a mode about each function while a network is outlined"),
    ("*", "artifact/_weights.py:_bounded*", "hooks of torch count the weights while a network is built"),
]
# The most packages that a verb touches.
PACKAGES = {"fit": 30, "load": 18, "predict": 15, "evaluate": 19, "compare": 29}
# What serves predictions needs nothing of what learns or measures.
LEARNING = {
    "api", "artifact", "comparison", "evaluate", "metrics", "planning", "report", "strategies", "techniques", "train",
    "trials",
}  # fmt: skip


class Trace:
    """Counts calls (caller → callee) between functions of the package, in all threads, while it is entered."""

    def __init__(self):
        self.calls = Counter()

    def __enter__(self):
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame, event, _):
        if event == "call" and package(frame.f_code) and frame.f_code.co_name not in ("<module>", "<genexpr>"):
            caller = frame.f_back
            while caller is not None and package(caller.f_code) is None:
                caller = caller.f_back
            if caller is not None and caller.f_code.co_name != "<module>":
                self.calls[caller.f_code, frame.f_code] += 1

    @property
    def packages(self):
        return {package(code) for pair in self.calls for code in pair}

    @property
    def upward(self):
        """Calls to a layer above the caller's, or to another package of the same layer."""
        return {
            (place(one), place(other))
            for one, other in self.calls
            if package(one) != package(other) and LEVELS[package(other)] <= LEVELS[package(one)]
        }


def package(code, known={}):  # noqa: B006 - kept for all calls: it is asked for each of them
    """The package of the code below `sensorium`, None outside of it."""
    if code.co_filename not in known:
        path = Path(code.co_filename)
        inside = path.parts[len(SOURCE.parts)] if path.is_relative_to(SOURCE) else None
        known[code.co_filename] = inside and inside.removesuffix(".py")
    found = known[code.co_filename]
    return found if found in LEVELS else None


def place(code):
    return f"{Path(code.co_filename).relative_to(SOURCE).as_posix()}:{code.co_qualname}"


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """Verb → what it called."""
    folder = tmp_path_factory.mktemp("calls")
    table = make_table(folder, rows=24, modalities=["text", "number"], missing=0.1)
    few = {"epochs": 1, "progress": False}
    found = {verb: Trace() for verb in PACKAGES}
    with found["fit"]:
        sensorium.fit(table, "label", out=folder / "run", **few)
    with found["load"]:
        model = sensorium.load(folder / "run")
    with found["predict"]:
        model.predict(table)
        model.predict_proba(table)
        model.predictions(table)
    with found["evaluate"]:
        model.evaluate(table, "test")
    with found["compare"]:
        sensorium.compare(table, "label", fusions=["concat"], baselines=["linear"], **few)
    return found


@pytest.mark.parametrize("verb", PACKAGES)
def test_calls_go_down(verb, traces):
    up = {
        pair
        for pair in traces[verb].upward
        if not any(fnmatch(pair[0], one) and fnmatch(pair[1], other) for one, other, _ in CALLBACKS)
    }
    assert not up, f"{verb} calls up:\n" + "\n".join(f"{one} → {other}" for one, other in sorted(up))


def test_every_callback_is_still_one(traces):
    up = [pair for trace in traces.values() for pair in trace.upward]
    unused = [
        (one, other) for one, other, _ in CALLBACKS if not any(fnmatch(a, one) and fnmatch(b, other) for a, b in up)
    ]
    assert not unused, f"nothing is called so any more, take these out of CALLBACKS: {unused}"


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_serving_is_a_pure_descent(verb, traces):
    assert traces[verb].upward == set()


def test_predict_touches_nothing_that_learns(traces):
    assert not traces["predict"].packages & LEARNING


@pytest.mark.parametrize(("verb", "most"), PACKAGES.items())
def test_a_verb_touches_few_packages(verb, most, traces):
    assert len(traces[verb].packages) <= most, sorted(traces[verb].packages, key=LEVELS.get)


def test_a_call_up_is_seen_through_a_library_in_between():
    def climb(items):
        return sorted(items, key=lower_is_better)

    code = climb.__code__.replace(co_filename=str(SOURCE / "files" / "made.py"), co_qualname="climb")
    with Trace() as trace:
        FunctionType(code, {"lower_is_better": lower_is_better})(["accuracy", "log_loss"])
    assert trace.upward == {("files/made.py:climb", "metrics/_base.py:lower_is_better")}
