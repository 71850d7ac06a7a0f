"""Members name the tasks that they suit by traits, so that a new task is one new file."""

import textwrap

import numpy as np
import pytest

import sensorium
from sensorium.errors import ConfigError
from sensorium.metrics import metrics_of
from sensorium.registry import Registry, _entries, fusions, heads, metrics, tasks, techniques
from sensorium.registry.traits import TRAITS, suited_tasks, suits, traits_of
from sensorium.tasks import is_value

unit = pytest.mark.unit
LISTS = [
    (found, name, entry.literal("TASKS"))
    for found in (metrics, techniques, heads)
    for name, entry in found.entries.items()
    if entry.literal("TASKS")
]
LISTS += [
    (fusions, f"{name}.{option}={value}", named)
    for name, entry in fusions.entries.items()
    for option, values in entry.literal("OPTION_TASKS", {}).items()
    for value, named in values.items()
]


@unit
@pytest.mark.parametrize(("found", "name", "declared"), LISTS, ids=lambda part: part if isinstance(part, str) else "")
def test_every_list_names_tasks_and_traits_that_exist(found, name, declared):
    assert set(declared) <= {*TRAITS, *tasks.names()}
    assert suited_tasks(declared), f"no task suits {name}"


@unit
def test_traits_are_those_of_the_tasks():
    assert suited_tasks(["an amount"]) == ["count", "regression"] == [n for n in tasks.names() if is_value(n)]
    assert suited_tasks(["one class"]) == ["binary", "multiclass", "ordinal"]
    assert suited_tasks(["class logits"]) == ["binary", "multiclass", "multilabel"]
    assert suited_tasks(["ordered classes", "several"]) == ["ordinal", "several"]
    assert suited_tasks(None) == tasks.names() and traits_of("gone") == frozenset()
    assert suits((), "several") and not suits(("an amount",), "several")
    assert all(" " in trait for trait in TRAITS), "a trait could be the name of a file"


@pytest.fixture
def stars(tmp_path, monkeypatch):
    """A task of another package, in one file."""
    package = f"{tmp_path.name}_stars"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    code = """
    from dataclasses import dataclass
    from sensorium.tasks.multiclass import Multiclass

    TRAITS = ("class probabilities", "one class", "class logits")

    @dataclass(frozen=True)
    class Stars(Multiclass):
        @classmethod
        def looks_like(cls, column):
            return None
    """
    (tmp_path / package / "stars.py").write_text(textwrap.dedent(code))
    monkeypatch.syspath_prepend(tmp_path)
    own = [*_entries.scan("sensorium.tasks"), *_entries.scan_plugin(package, "sensorium.tasks")]
    fresh = Registry(tasks.kind, tasks.package, taker=tasks._taker, contract=tasks.contract)
    monkeypatch.setattr(fresh, "entries", dict(sorted((entry.name, entry) for entry in own)))
    monkeypatch.setitem(vars(tasks), "entries", fresh.entries)
    monkeypatch.setattr(tasks, "_checked", set())


@pytest.mark.slow
def test_a_new_task_has_the_metrics_heads_and_techniques_of_its_traits(stars):
    by_name = ("f1_micro", "top_3_accuracy", "top_5_accuracy")  # of tasks, not of traits
    assert metrics_of("stars") == [name for name in metrics_of("multiclass") if name not in by_name]
    random = np.random.default_rng(0)
    table = {"x": random.normal(size=80), "kind": random.choice(["a", "b", "c"], 80)}
    options = {"task": "stars", "preset": "good", "progress": False}
    model = sensorium.fit(table, "kind", **options)
    assert model.task == "stars" and {"accuracy", "log_loss", "mcc"} <= set(model.evaluate(table, "all").metrics)
    train = {"epochs": 1, "techniques": ["label_smoothing"]}
    sensorium.fit(table, "kind", task="stars", head="cosine", train=train, progress=False)
    with pytest.raises(ConfigError, match=r"head 'prototype' does not support the task stars(.|\n)*for multiclass"):
        sensorium.fit(table, "kind", task="stars", head="prototype", progress=False)
