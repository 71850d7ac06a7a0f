"""Where a column names the splits, rows of one patient that it keeps together stay together in folds and intervals."""

import numpy as np
import pytest

import sensorium
from sensorium.config import Config
from sensorium.planning import cut_folds, make_plan, plan_folds
from sensorium.runtime.progress import Silent
from sensorium.split import FoldOptions
from sensorium.table import open_table

unit = pytest.mark.unit
PATIENTS, ROWS = 14, 140  # ten rows of each patient
SETTINGS = {"target": "label", "columns": ["x"], "train": {"epochs": 1}}


def table(test=range(10, PATIENTS), validation=(), **columns):
    random = np.random.default_rng(0)
    patient = np.arange(ROWS) % PATIENTS
    part = np.where(np.isin(patient, list(validation)), "validation", "train")
    return {
        "x": random.normal(size=ROWS),
        "patient": [f"p{number:02}" for number in patient],
        "split": np.where(np.isin(patient, list(test)), "test", part).tolist(),
        "label": random.choice(["no", "yes"], ROWS).tolist(),
        **columns,
    }


def plan_of(rows, **settings):
    return make_plan(open_table(rows), Config.gather(SETTINGS, settings), Silent())


def of_groups(findings):
    return [found for found in findings if "rows are grouped by this column" in found.reason]


def sides(plan):
    """The patients of the training, validation and test rows."""
    patients = np.asarray(plan.table.column("patient").data.to_pylist())
    return [set(patients[plan.split.rows(name)]) for name in ("train", "validation", "test")]


@unit
@pytest.mark.parametrize("validation", [(), (7, 8, 9)])
def test_folds_and_validation_rows_keep_groups_together(validation):
    plan = plan_of(table(validation=validation))
    train, held, test = sides(plan)
    assert held and not (train & held or train & test or held & test)
    patients = np.asarray(plan.table.column("patient").data.to_pylist())[plan.used]
    folds = cut_folds(plan, 5)
    assert len(folds) == 5
    for fold in folds:
        assert len(fold.judge) and not set(patients[fold.learn]) & set(patients[fold.judge])
    (half,) = cut_folds(plan, 1) if validation else [None]
    assert half is None or not set(patients[half.learn]) & set(patients[half.judge])


@unit
def test_the_column_is_reported_once_with_the_setting_that_switches_it_off():
    plan = plan_of(table())
    (found,) = of_groups(plan.findings)
    assert found.column == "patient" and "(14 groups)" in found.reason and "--set split.group=null" in found.cure
    assert len(of_groups(plan.notices)) == 1
    plain = plan_of(table(), split={"group": None})
    assert plain.groups is None and not of_groups(plain.findings)
    assert np.array_equal(plain.split.rows("test"), plan.split.rows("test"))


@unit
@pytest.mark.parametrize(
    "rows",
    [
        table(patient=[f"p{row % 14:02}" for row in range(ROWS - 1)] + ["p00"]),  # a patient in two splits
        table(test=range(4, PATIENTS)),  # training rows of four patients
        table(validation=(9,)),  # validation rows of one
        {("colour" if name == "patient" else name): cells for name, cells in table().items()},
        {name: cells for name, cells in table().items() if name != "split"},
    ],
    ids=["in two splits", "few groups", "one group of validation rows", "another name", "no split column"],
)
def test_rows_are_independent_where_groups_do_not_hold(rows):
    plan = plan_of(rows)
    assert plan.groups is None and plan.config.split.group is None and not of_groups(plan.findings)


@unit
def test_a_setting_is_never_replaced():
    rows = table(ward=[f"w{row % 7}" for row in range(ROWS)], day=list(range(ROWS)))
    assert plan_of(rows, split={"column": "split", "group": "ward"}).config.split.group == "ward"
    assert plan_of(rows, split={"column": "split", "time": "day"}).config.split.group is None


@unit
def test_of_nested_groups_the_largest_are_kept_together():
    plan = plan_of(table(session=[f"s{row % PATIENTS:02}.{row // PATIENTS % 2}" for row in range(ROWS)]))
    assert plan.config.split.group == "patient"


@unit
def test_rows_without_a_label_or_a_split_do_not_count():
    rows = table()
    rows["patient"][20], rows["label"][20] = "p10", None
    rows["patient"][21], rows["split"][21] = "p11", ""
    assert plan_of(rows).config.split.group == "patient"


@unit
def test_a_cross_validation_keeps_groups_together():
    config = Config.gather(SETTINGS)
    planned = plan_folds(open_table(table()), config, Silent(), FoldOptions(4))
    for plan in planned.plans:
        train, held, test = sides(plan)
        assert test and not (train & test or held & test or train & held)
    assert len(of_groups(planned.notices)) == 1


@unit
def test_inspect_reports_the_column_and_no_longer_suggests_it():
    found = sensorium.inspect(table(), "label")
    assert any("rows are grouped by this column" in notice["reason"] for notice in found.notices)
    assert not [advice for advice in found.advice if advice["column"] == "patient"]


def test_intervals_resample_the_groups_also_in_a_saved_model_and_a_finished_run(tmp_path):
    rows = table()
    model, again = (sensorium.fit(rows, config=SETTINGS, out=tmp_path / "run", progress=False) for _ in range(2))
    loaded = sensorium.load(tmp_path / "run")
    for each in (model, again, loaded):
        assert each.evaluate(rows, "test").groups == 4
    assert model.test.groups == again.test.groups == 4
    assert again.test.intervals["accuracy"] == pytest.approx(model.test.intervals["accuracy"])
    plain = sensorium.fit(rows, config=SETTINGS, split={"group": None}, progress=False)
    assert plain.test.groups is None and plain.evaluate(rows, "test").groups is None


def test_a_column_of_groups_remains_a_feature():
    """What a model reads does not depend on how it is judged."""
    settings = {**SETTINGS, "columns": ["x", "patient"], "modalities": {"patient": "category"}}
    model = sensorium.fit(table(), config=settings, progress=False)
    assert model.fitted.config.split.group == "patient" and set(model.fitted.learnt) == {"x", "patient"}
