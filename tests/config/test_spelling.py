"""Cures that set a setting work as they are printed, on the command line and in Python."""

import json
import re
import shlex

import pandas as pd
import pytest
from typer.testing import CliRunner

from sensorium import fit, inspect
from sensorium.cli._main import make_app
from sensorium.config import Config, exclude_column, overlay, parse_assignments, set_both
from sensorium.errors import SchemaError, TableError


def both_forms(cure):
    """Return the settings of the flag and of the Python argument in a cure, as nested dicts."""
    flag, argument = re.search(r"(--set .*?) \(Python: (.*?)\)(?:,| |$)", cure).groups()
    python = eval(f"dict({argument})")
    return parse_assignments(shlex.split(flag)[1:]), overlay(python.pop("config", {}), python)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("table.quotes", "none"),
        ("table.comment", "#"),
        ("split.stratify", False),
        ("train.learning_rate", 3e-05),
        ("train.techniques.pmr", {}),
        ("prepare.store", "none"),
        ("seed", 3),
    ],
)
def test_both_forms_of_a_cure_set_the_same(key, value):
    flag, python = both_forms(set_both(key, value))
    assert Config.gather(flag) == Config.gather(python) != Config()


@pytest.mark.parametrize("name", ["size", "Order Date", "it's", "a,b", 'say "x, y"'])
def test_the_flag_that_excludes_a_column_excludes_it(name, tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({name: range(40), "kind": ["p", "q"] * 20, "y": ["a", "a", "b", "b"] * 10}).to_csv(path, index=False)
    command = ["inspect", str(path), "--target", "y", "--json", *shlex.split(exclude_column(name))]
    found = json.loads(CliRunner().invoke(make_app(), command).stdout)
    assert [column["name"] for column in found["columns"] if column["reason"] == "left out by setting"] == [name]


def test_the_cure_of_a_stray_quote_works_in_python(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text('note,size\n"a,1\nb,2\nc,3\n')
    with pytest.raises(TableError, match="is never closed") as caught:
        inspect(table)
    _, settings = both_forms(caught.value.cure)
    assert [column.distinct for column in inspect(table, config=settings).columns] == [3, 3]


def test_the_cure_of_ambiguous_dates_works_in_python():
    table = {"day": ["01/02/2026", "03/04/2026"] * 10, "size": [*range(20)], "y": ["a", "b", "b", "a"] * 5}
    with pytest.raises(SchemaError, match="its dates fit both") as caught:
        fit(table, "y", split={"time": "day"}, epochs=1, progress=False)
    _, settings = both_forms(caught.value.cure)
    split = {"time": "day", **settings["split"]}
    assert fit(table, "y", split=split, epochs=1, progress=False).card["split"]
