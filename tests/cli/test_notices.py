"""What `inspect`, `compare` and `evaluate` say of a table, in JSON too."""

import numpy as np
import pandas as pd
import pytest

import sensorium
from sensorium.errors import SchemaError
from sensorium.findings import IN_TRAINING

FAST = {"train": {"epochs": 1}, "progress": False, "seed": 0}


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    limits = ["<5" if value < 5 else f"{value:.1f}" for value in random.uniform(0, 20, 100)]
    prices = [f"{value:.2f}" if row % 9 else "VB" for row, value in enumerate(random.uniform(10, 20, 100))]
    cells = {"code": [f"A{row * 7 + 1000}" for row in range(100)], "crp": limits, "price": prices}
    words = {"note": random.choice(["good", "bad", "fine"], 100), "y": random.choice(["sick", "well"], 100)}
    return pd.DataFrame(cells | words)


def test_inspect_lists_cautions_and_findings_once(frame):
    found = sensorium.inspect(frame, "y").to_json()
    told = [(notice["column"], notice["reason"]) for notice in found["notices"]]
    assert len(set(told)) == len(told)
    assert {"code", "crp", "price"} <= {column for column, _ in told}
    cautioned = {column["name"] for column in found["columns"] if column["caution"]}
    assert cautioned <= {column for column, _ in told}
    assert not any(IN_TRAINING in reason for _, reason in told)


@pytest.mark.slow
def test_compare_lists_what_fit_lists(frame, tmp_path):
    settings = {"encoders": {}, **FAST}
    table = frame.assign(text=[f"the quick brown fox number {row} jumps over a dog {row % 7}" for row in range(100)])
    compared = sensorium.compare(table, "y", fusions=["concat"], baselines=["none"], **settings).to_json()
    assert compared["notices"]
    fitted = sensorium.fit(table, "y", **settings).card["notices"]
    assert [notice for notice in compared["notices"] if not notice["rows"]] == fitted


def test_counts_of_training_rows_say_so(frame):
    model = sensorium.fit(frame.drop(columns="y"), "price", **FAST)
    (told,) = [notice["reason"] for notice in model.card["notices"] if "'VB'" in notice["reason"]]
    assert IN_TRAINING in told and not told.startswith(f"{(frame.price == 'VB').sum()} ")


def test_labels_in_another_case_are_named(frame):
    model = sensorium.fit(frame, "y", **FAST)
    with pytest.raises(SchemaError, match=r"(?s)'SICK'.*'sick'.*table.labels=fold_case") as error:
        model.evaluate(frame.assign(y=frame.y.str.upper()))
    assert "SICK" in error.value.finding and "sick" in error.value.rule
    some = frame.assign(y=[label.upper() if row < 20 else label for row, label in enumerate(frame.y)])
    (group,) = [group for group in model.evaluate(some).problems.groups() if group.column == "y"]
    assert len(group) == 20 and "fold_case" in group.cure
    with pytest.raises(SchemaError, match="found: 'ill'") as error:
        model.evaluate(frame.assign(y="ill"))
    assert error.value.cure == ""
