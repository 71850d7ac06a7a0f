"""The transform of a skewed target is chosen by errors out of fold, on training rows alone."""

import re

import numpy as np
import pandas as pd
import pytest

import sensorium
from sensorium.config import Config
from sensorium.planning import make_plan
from sensorium.runtime.progress import Silent
from sensorium.table import open_table

ROWS = 400
SPLIT = ["train"] * 280 + ["val"] * 60 + ["test"] * 60


def plan_of(table, **settings):
    config = Config.gather({"target": "y", "task": "regression", "device": "cpu"}, settings)
    return make_plan(open_table(table), config, Silent())


def note_of(plan):
    """Return the notice about the scale."""
    (found,) = [notice for notice in plan.notices if "skewed" in notice.reason]
    return found


def figure(plan, name):
    """Return R² of a scale in the notice."""
    return float(re.search(rf"(-?[\d.]+) with {name}", note_of(plan).reason)[1])


def multiplied():
    """Amounts whose logarithm is a sum."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, ROWS))
    level = 2 * first + second + 0.1 * random.normal(size=ROWS)
    return {"first": first, "second": second, "y": np.exp(level), "split": SPLIT}


def added():
    """Skewed amounts that are a sum."""
    random = np.random.default_rng(0)
    rare, usual = random.random(ROWS) < 0.1, random.random(ROWS) < 0.5
    return {
        "rare": np.where(rare, "yes", "no"),
        "usual": np.where(usual, "yes", "no"),
        "y": 20 + 100.0 * rare + 30 * usual + random.normal(size=ROWS),
        "split": SPLIT,
    }


def test_amounts_that_are_a_sum_are_not_transformed_though_they_are_skewed():
    plan = plan_of(added())
    assert not plan.task.transform and plan.task.corrects_bias is False
    assert "trained on the amounts as they are" in note_of(plan).reason
    assert "train.target_transform=yeo_johnson" in note_of(plan).cure
    assert figure(plan, "no transform") > 0.99 > figure(plan, "Yeo-Johnson") > 0
    assert "5 folds of 280 training rows" in note_of(plan).reason


def test_the_logarithm_is_chosen_for_products():
    plan = plan_of(multiplied())
    assert plan.task.transform["kind"] == "log" and "trained on log(target)" in note_of(plan).reason
    assert figure(plan, "log") > max(figure(plan, "no transform"), figure(plan, "Yeo-Johnson"))


def test_the_suggested_scale_is_kept_where_no_other_is_proven_better():
    table = multiplied()
    level = np.log(table["y"])
    table["y"] = 5 + np.where(level > 0, np.expm1(level), 1 - np.sqrt(1 + 2 * np.abs(level)))  # Yeo-Johnson, power 0
    plan = plan_of(table)
    assert plan.task.transform["kind"] == "yeo_johnson"
    assert "with Yeo-Johnson" in note_of(plan).reason and "target_transform=none" in note_of(plan).cure
    asked = plan_of(table, train={"target_transform": "yeo_johnson"})
    assert asked.task.transform == plan.task.transform and asked.task.mean == plan.task.mean


def test_labels_of_validation_and_test_rows_do_not_choose():
    for table in (added(), multiplied()):
        labels = np.array(table["y"])
        labels[280:] = np.random.default_rng(1).permutation(labels[280:])
        before, after = plan_of(table).task, plan_of({**table, "y": labels}).task
        assert before == after


def test_rows_of_a_group_are_not_on_both_sides():
    """A column that names the groups says nothing about other groups."""
    random = np.random.default_rng(0)
    group = np.arange(ROWS) // 8
    amounts = np.exp(2 * random.normal(size=ROWS // 8))[group] * (1 + 0.05 * random.normal(size=ROWS))
    table = {"site": [f"s{g}" for g in group], "x": random.normal(size=ROWS), "y": amounts}
    names = ("no transform", "Yeo-Johnson", "log")
    known = plan_of(table)
    unknown = plan_of(table, split={"group": "site"}, modalities={"site": "category"}, columns=["site", "x"])
    assert max(figure(known, name) for name in names) > 0.8
    assert max(figure(unknown, name) for name in names) < 0.2


@pytest.mark.parametrize("setting", ["none", "log", "yeo_johnson"])
def test_a_setting_is_not_compared(setting):
    plan = plan_of(added(), train={"target_transform": setting})
    assert plan.task.transform.get("kind", "none") == setting
    assert not [notice for notice in plan.notices if "out of fold" in notice.reason]


@pytest.mark.parametrize(
    ("change", "rows", "reason"),
    [
        ({"columns": ["photo"], "modalities": {"photo": "image"}}, ROWS, "all columns are read from files"),
        ({}, 110, "fewer than 100 training rows"),
    ],
)
def test_scales_are_not_compared_without_rows_or_columns_at_hand(change, rows, reason):
    table = {name: cells[:rows] for name, cells in added().items() if name != "split"}
    plan = plan_of({**table, "photo": [f"{row}.png" for row in range(rows)]}, **{"columns": ["rare"], **change})
    assert plan.task.transform["kind"] == "yeo_johnson"
    assert note_of(plan).reason.endswith(f"no other scale was compared: {reason}")


def test_negative_amounts_have_no_logarithm_to_compare():
    table = added()
    plan = plan_of({**table, "y": table["y"] - 200})
    assert not plan.task.transform and "with log" not in note_of(plan).reason


def test_a_single_network_is_trained_on_the_suggested_scale():
    plan = plan_of(added(), preset="fast")
    assert plan.task.transform["kind"] == "yeo_johnson" and "out of fold" not in note_of(plan).reason


def test_series_in_files_are_not_read(tmp_path):
    random = np.random.default_rng(0)
    for place in range(ROWS):
        np.save(tmp_path / f"{place}.npy", random.normal(size=5))
    table = pd.DataFrame({"steps": [f"{place}.npy" for place in range(ROWS)], "y": multiplied()["y"], "split": SPLIT})
    table.to_csv(tmp_path / "table.csv", index=False)
    config = Config.gather({"target": "y", "task": "regression", "device": "cpu"}, {"modalities": {"steps": "series"}})
    plan = make_plan(open_table(tmp_path / "table.csv"), config, Silent())
    assert note_of(plan).reason.endswith("no other scale was compared: all columns are read from files")


def test_a_model_and_its_copy_are_on_the_chosen_scale(tmp_path):
    table = added()
    model = sensorium.fit(table, "y", preset="good", epochs=2, width=16, progress=False)
    assert any("out of fold" in str(notice) for notice in model.card["notices"])
    assert not model.fitted.task.transform
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(sensorium.load(tmp_path / "model").predict(table), model.predict(table))
