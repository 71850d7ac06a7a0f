"""Reports on a terminal: rows are counted in words that read well."""

import io

import pytest
from rich.console import Console

from sensorium.evaluate import Evaluation
from sensorium.metrics import Difference
from sensorium.model.card import EvaluationRecord, MetricShift, PredictionShift, ShiftRecord
from sensorium.report import evaluation_text, shift_text

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
