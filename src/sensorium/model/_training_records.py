"""Records of training: rows, epochs, techniques, metrics, calibration."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from sensorium.files.figures import Figure
from sensorium.model._record import Record

Pair: TypeAlias = Annotated[list[Figure], Field(min_length=2, max_length=2)]  # before and after, or low and high
Reports: TypeAlias = dict[str, dict[str, Any]]  # technique → its own report, JSON values


class Notice(Record):
    """A finding about cells, a column or the table (see `ProblemGroup.to_json`)."""

    column: str = ""
    reason: str
    cure: str = ""
    count: NonNegativeInt = 1
    rows: list[NonNegativeInt] = []
    value: str = ""


class UnlabelledRecord(Record):
    """Rows without a label.

    Attributes:
        rows: how many there are.
        learnt_from_by: techniques that learn from them.
    """

    rows: NonNegativeInt = 0
    learnt_from_by: list[str] = []


class EpochRecord(Record):
    """One epoch; a figure is NaN where it is not defined."""

    number: NonNegativeInt
    loss: Figure
    validation_loss: Figure
    metric: Figure
    learning_rate: Figure
    rows_per_second: Figure
    seconds: Figure


class SoupRecord(Record):
    """A model soup: which epochs' weights were averaged, and how the average validates."""

    epochs: list[NonNegativeInt]
    metric: Figure
    validation_loss: Figure


class HistoryRecord(Record):
    """How training went, epoch by epoch.

    Attributes:
        watched: the metric that chooses among epochs.
        best: number of the best epoch.
        epochs: in order.
        techniques: technique → its report.
        soup: the averaged epochs; None if no soup was asked for.
    """

    LEFT_OUT: ClassVar = frozenset({"soup"})
    watched: str = ""
    best: NonNegativeInt = 0
    epochs: list[EpochRecord] = []
    techniques: Reports = {}
    soup: SoupRecord | None = None


class PretrainingEpoch(Record):
    """One epoch of pre-training, which has nothing to validate."""

    number: NonNegativeInt
    loss: Figure
    learning_rate: Figure
    rows_per_second: Figure
    seconds: Figure


class PretrainingRecord(Record):
    """Self-supervised pre-training.

    Attributes:
        rows: training rows.
        unlabelled: how many of them have no label.
        epochs: in order.
        techniques: technique → its report.
    """

    rows: NonNegativeInt
    unlabelled: NonNegativeInt
    epochs: list[PretrainingEpoch]
    techniques: Reports


class EvaluationRecord(Record):
    """Metrics on the rows of one split.

    Attributes:
        n: rows scored.
        metrics: name → value.
        intervals: name → bootstrap 95% interval.
    """

    n: NonNegativeInt
    metrics: dict[str, Figure]
    intervals: dict[str, Pair]


class CalibrationRecord(Record):
    """Temperature scaling.

    Attributes:
        temperature: that logits are divided by; of an ensemble, one per member.
        validation, test: `log_loss` and `ece` → before and after.
    """

    LEFT_OUT: ClassVar = frozenset({"validation"})
    temperature: NonNegativeFloat | list[NonNegativeFloat]
    validation: dict[str, Pair] | None = None
    test: dict[str, Pair] | None = None
