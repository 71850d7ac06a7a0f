"""Every public name has an example in its docstring, and every example in the package runs as it is written.

Examples run in a folder with `films.csv` (text, number, category, genre) and `new_films.csv` (no genre). They find what
a reader of the docs has at hand: `sensorium`, `np`, `model` and `comparison`, made of `films.csv` once for all of them.
"""

import ast
import doctest
import inspect
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from pyarrow import csv

import sensorium
import sensorium.sklearn
import sensorium.testing
from sensorium.adaptation import Adaptation
from sensorium.augment import Augmentation
from sensorium.baselines import Baseline
from sensorium.encoders import Encoder
from sensorium.fusion import Fusion
from sensorium.heads import Head
from sensorium.metrics import Outcome
from sensorium.modalities import Modality
from sensorium.registry import modalities
from sensorium.table import Table
from sensorium.tasks import Task
from sensorium.techniques import Technique
from sensorium.testing import make_table

SOURCE = Path(__file__).parents[2] / "src" / "sensorium"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PUBLIC = [
    *(getattr(sensorium, name) for name in sensorium.__all__ if name != "__version__"),
    *(getattr(sensorium.testing, name) for name in sensorium.testing.__all__),
    *(getattr(sensorium.sklearn, name) for name in sensorium.sklearn.__all__),
]
CONTRACTS = [Adaptation, Augmentation, Baseline, Encoder, Fusion, Head, Modality, Outcome, Table, Task, Technique]
# They train several networks for each task, or import transformers.
SLOW = ("check_technique", "check_adaptation", "make_pretrained")


def members(kind):
    """Methods and properties that a user calls: not those of a base of somebody else's, nor attributes of data."""
    return [
        value
        for name, value in vars(kind).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod | property))
    ]


RESULTS = [sensorium.Model, sensorium.Predictions, sensorium.Evaluation, sensorium.Comparison, sensorium.Inspection]
METHODS = [member for kind in RESULTS for member in members(kind)]


def name_of(value):
    inner = value.fget if isinstance(value, property) else inspect.unwrap(getattr(value, "__func__", value))
    return inner.__qualname__


@pytest.mark.parametrize("value", [*PUBLIC, *CONTRACTS, *METHODS], ids=name_of)
def test_a_public_name_has_an_example(value):
    assert ">>> " in (value.__doc__ or ""), f"the docstring of {name_of(value)} has no example"


@pytest.mark.parametrize("name", modalities.names())
def test_a_modality_documents_the_fields_that_it_has(name):
    kind = modalities.load(name)
    section = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    documented = [
        word for names in re.findall(r"^ {4}(\w[\w, ]*):", section, re.MULTILINE) for word in names.split(", ")
    ]
    assert sorted(documented) == sorted(field.name for field in fields(kind))


def docstrings():
    """(name, docstring, file, line) of whatever has an example; read without importing."""
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        source = path.read_text(encoding="utf-8")
        for name, node in nodes(ast.parse(source), module) if ">>> " in source else ():
            text = ast.get_docstring(node, clean=False)
            if text and ">>> " in text:
                slow = [pytest.mark.slow] * (name.rpartition(".")[2] in SLOW)
                line = node.body[0].lineno - 1
                yield pytest.param(name, text, path, line, id=name.removeprefix("sensorium."), marks=slow)


def nodes(tree, name):
    yield name, tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield from nodes(node, f"{name}.{node.name}")


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder with both tables, and a model of the first."""
    folder = tmp_path_factory.mktemp("films")
    made = make_table(folder / "made", rows=90, modalities=["text", "number", "category"])
    table = csv.read_csv(made).rename_columns({"text": "plot", "number": "length", "category": "studio"})
    table = table.rename_columns({"label": "genre"})
    csv.write_csv(table, folder / "films.csv")
    csv.write_csv(table.drop_columns("genre").slice(0, 5), folder / "new_films.csv")
    few = {"fusions": ["concat"], "baselines": ["none"], "epochs": 1, "progress": False}
    return folder, {
        "sensorium": sensorium,
        "np": np,
        "model": sensorium.fit(folder / "films.csv", "genre", epochs=2, progress=False),
        "comparison": sensorium.compare(folder / "films.csv", "genre", **few),
    }


@pytest.mark.parametrize(("name", "text", "path", "line"), [*docstrings()])
def test_an_example_runs(name, text, path, line, films, tmp_path, monkeypatch):
    folder, at_hand = films
    for file in folder.glob("*.csv"):
        (tmp_path / file.name).hardlink_to(file)
    monkeypatch.chdir(tmp_path)
    told = []
    test = doctest.DocTestParser().get_doctest(text, {**at_hand, "__name__": name}, name, str(path), line)
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append)
    assert not told, "".join(told)
