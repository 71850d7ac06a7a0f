"""Records of distribution shift and domain adaptation on the model card."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict, Field, NonNegativeInt

from sensorium.metrics import Difference
from sensorium.model._record import Record
from sensorium.model._training_records import EvaluationRecord, Pair


class PredictionShift(Record):
    """Change of the predictions for the same rows, before and after.

    Attributes:
        rows: number of rows.
        labels: label → mean probability; None for regression.
        changed: fraction of rows whose predicted label changed.
        mean, deviation: mean and standard deviation of predicted values; None for classification.
    """

    LEFT_OUT: ClassVar = frozenset({"labels", "changed", "mean", "deviation"})
    rows: NonNegativeInt
    labels: dict[str, Pair] | None = None
    changed: float | None = None
    mean: Pair | None = None
    deviation: Pair | None = None


class MetricShift(Record):
    """Metrics on the same rows before and after; the difference is positive if the watched metric improved.

    Attributes:
        before, after: the metrics.
        difference: paired difference of the watched metric.
        trained: how many of the rows the first model was trained on, where no others could be compared.
    """

    LEFT_OUT: ClassVar = frozenset({"trained"})
    before: EvaluationRecord
    after: EvaluationRecord
    difference: Difference
    trained: NonNegativeInt | None = None


class ShiftRecord(Record):
    """Change of a model by continued training or adaptation: columns, weights, predictions, metrics.

    Attributes:
        source: name of the table before (`from` in JSON).
        labels: new labels.
        missing: columns of the model that the new table lacks.
        unused: columns of the new table that the model does not have.
        columns: column → statistic → before and after; `shift` is the difference of the means in standard deviations.
        weights: part of the network → relative change of its weights; None if they were all zero.
        split: the rows of the comparison.
        answers, metrics: change of predictions and metrics on these rows, if they could be computed.
    """

    LEFT_OUT: ClassVar = frozenset({"split", "answers", "metrics"})
    source: str = Field(alias="from")
    labels: list[str] = []
    missing: list[str] = []
    unused: list[str] = []
    columns: dict[str, dict[str, Pair | float | None]] = {}
    weights: dict[str, float | None] = {}
    split: str | None = None
    answers: PredictionShift | None = None
    metrics: MetricShift | None = None


class AdaptationRecord(Record):
    """Record of an adaptation; it holds the report of the method as well.

    Attributes:
        method: registered name of the method.
        options: options of the method.
        table: name of the table.
        rows: number of rows that the model was adapted to.
    """

    model_config = ConfigDict(extra="allow")
    method: str
    options: dict[str, Any]
    table: str
    rows: NonNegativeInt
