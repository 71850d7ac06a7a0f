"""Reports on a terminal: rows are counted in words that read well."""

import io

import pytest
from rich.console import Console

from sensorium.evaluate import Evaluation, Subset, Subsets
from sensorium.metrics import Difference
from sensorium.model.card import (
    BlendRecord,
    DataSpec,
    EvaluationRecord,
    MemberRecord,
    MetricShift,
    ModelCard,
    PredictionShift,
    SearchRecord,
    SearchTraining,
    SearchTrial,
    ShiftRecord,
)
from sensorium.report import evaluation_text, fit_text, shift_text, subsets_text
from sensorium.report.text import search_text

pytestmark = pytest.mark.unit


def printed(renderable):
    with io.StringIO() as stream:
        Console(file=stream, width=200).print(renderable)
        return stream.getvalue()


@pytest.mark.parametrize(
    ("n", "rows", "said"),
    [
        (40, "all rows", "40 rows"),
        (1, "all rows", "1 row"),
        (9, "test rows", "9 test rows"),
        (1, "test rows", "1 test row"),
    ],
)
def test_rows_of_an_evaluation_are_counted(n, rows, said):
    found = Evaluation(n, {"accuracy": 0.5}, {"accuracy": (0.4, 0.6)}, rows=rows)
    assert printed(evaluation_text(found)).splitlines()[0].strip() == said


@pytest.mark.parametrize(
    ("split", "said"), [("all", "predictions for 40 rows:"), ("test", "predictions for 40 test rows:")]
)
def test_rows_of_a_distribution_shift_are_counted(split, said):
    answers = PredictionShift(rows=40, mean=[0.1, 0.2], deviation=[1.0, 1.0])
    assert said in printed(shift_text(ShiftRecord(source="old.csv", split=split, answers=answers)))


def test_metric_that_is_the_same_is_unchanged():
    before = EvaluationRecord(n=40, metrics={"accuracy": 0.75}, intervals={"accuracy": [0.6, 0.9]})
    metrics = MetricShift(before=before, after=before, difference=Difference("accuracy", 0.0, (0.0, 0.0), 1.0))
    text = printed(shift_text(ShiftRecord(source="old.csv", split="test", metrics=metrics)))
    assert "accuracy on the same 40 rows: 0.7500, unchanged" in text and "better" not in text


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (Difference("accuracy", -0.02, (-0.03, -0.01), 0.01), "worse by 0.0200 (95% interval 0.0100 to 0.0300)"),
        (Difference("accuracy", 0.02, (-0.01, 0.05), 0.2), "better by 0.0200 (95% interval -0.0100 to 0.0500)"),
    ],
)
def test_change_of_a_metric_is_better_or_worse_by_a_positive_amount(gain, said):
    before, after = (
        EvaluationRecord(n=40, metrics={"accuracy": value}, intervals={"accuracy": [0.6, 0.9]})
        for value in (0.75, 0.75 + gain.value)
    )
    metrics = MetricShift(before=before, after=after, difference=gain)
    assert said in printed(shift_text(ShiftRecord(source="old.csv", split="test", metrics=metrics)))


def test_intervals_are_written_with_to():
    low = Subset(["photo"], 40, 0.5, (0.4, 0.6), Difference("accuracy", -0.1, (-0.1667, -0.0163), 0.01))
    shown = printed(evaluation_text(Evaluation(9, {"accuracy": 0.5}, {"accuracy": (0.4, 0.6)}, rows="test rows")))
    assert "0.4000 to 0.6000" in shown
    shown = printed(subsets_text(Subsets("accuracy", "all", [low], None)))
    assert "-0.1000 (-0.1667 to -0.0163)" in shown and " – " not in shown


def test_trainings_of_a_search_name_their_epochs_and_short_times():
    trainings = [
        SearchTraining(stage="rung", epochs=20, trained=trained, metric=0.9333, loss=0.2, seconds=0.04)
        for trained in (1, 11)
    ]
    figures = {"stage": "final", "epochs": 20, "trained": 11, "metric": 0.9333, "loss": 0.2, "seconds": 0.04}
    trial = SearchTrial(key="1", name="default", trainings=trainings, **figures)
    found = SearchRecord(
        metric="accuracy", trials=1, trainings=2, seconds=1, budget=2, best=[trial], chosen=["default"]
    )
    shown = printed(search_text(found))
    assert "0.9333 after 1 epoch, 0.9333 after 11 epochs" in shown and " 0.08" in shown


def test_members_are_listed_with_their_weights_and_with_modalities_where_they_read_some():
    every = ["text", "tabular"]
    members = [
        MemberRecord(name="network", kind="network", weight=0.5, modalities=every),
        MemberRecord(name="linear", kind="estimator", weight=0.3, modalities=["text"]),
        MemberRecord(name="linear", kind="estimator", weight=0.2, modalities=every),
    ]
    found = printed(fit_text([], ModelCard(members=members, seconds=3.2), DataSpec(), None))
    assert "weights of the members: network 0.500, linear (text) 0.300, linear 0.200" in found
    assert "fitted in 3.2 s" in found


@pytest.mark.parametrize(
    ("kind", "said"),
    [("network", "network: fitted in 3.2 s"), ("estimator", "network (not used by the blend): fitted")],
)
def test_a_network_that_is_no_member_of_the_blend_is_named_as_such(kind, said):
    blend = BlendRecord(metric="log_loss", judged=9, how="5 folds", candidates=[], value=0.5)
    members = [MemberRecord(name="own", kind=kind, weight=1.0, modalities=["text"])]
    assert said in printed(fit_text([], ModelCard(members=members, blend=blend, seconds=3.2), DataSpec(), None))


def test_few_rows_or_groups_of_a_target_are_named():
    few = {"price.rows": 40, "genre.groups": 12}
    found = printed(evaluation_text(Evaluation(400, {"r2": 0.5}, {"r2": (0.4, 0.6)}, rows="test rows", few=few)))
    assert "few rows with a label of price (40)" in found and "few groups with a label of genre (12)" in found
