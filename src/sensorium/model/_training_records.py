"""Records of training: rows, epochs, techniques, metrics, calibration."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, FiniteFloat, NonNegativeFloat, NonNegativeInt

from sensorium.config import SelectBy
from sensorium.files.figures import Figure
from sensorium.findings import Problem, Problems
from sensorium.metrics import Difference
from sensorium.model._record import Record

Pair: TypeAlias = Annotated[list[Figure], Field(min_length=2, max_length=2)]  # before and after, or low and high
MAX_PROBLEMS = 10_000  # that a model card lists
Reports: TypeAlias = dict[str, dict[str, Any]]  # technique → its own report, JSON values


class Notice(Record):
    """Notice about cells, a column or the table (see `ProblemGroup.to_json`)."""

    column: str = ""
    reason: str
    cure: str = ""
    count: NonNegativeInt = 1
    rows: list[NonNegativeInt] = []
    value: str = ""


class ProblemRecord(Record):
    """Problems of a column that share reason and cure, without the values of their cells.

    Attributes:
        column: the column's name; empty for whole rows.
        reason: what is wrong and how the cells were read.
        cure: what the user can do.
        rows: the rows; empty for a problem of the whole column or table.
    """

    column: str = ""
    reason: str
    cure: str = ""
    rows: list[NonNegativeInt] = []

    @classmethod
    def of(cls, problems: Problems) -> list[ProblemRecord]:
        """Return the records of the first `MAX_PROBLEMS` problems, those of whole columns first."""
        kept = Problems(sorted(problems, key=Problem.place)[:MAX_PROBLEMS])
        return [
            cls(
                column=group.column,
                reason=group.reason,
                cure=group.cure,
                rows=[p.row for p in group.problems if p.row is not None],
            )
            for group in kept.groups()
        ]

    def problems(self) -> list[Problem]:
        """Return the problems."""
        places: Sequence[int | None] = self.rows or [None]
        return [Problem(row, self.column, self.reason, self.cure) for row in places]


class UnlabelledRecord(Record):
    """Record of the rows without a label.

    Attributes:
        rows: number of rows.
        learnt_from_by: techniques that use them.
    """

    rows: NonNegativeInt = 0
    learnt_from_by: list[str] = []


class EpochRecord(Record):
    """Record of one epoch; undefined numbers are NaN."""

    number: NonNegativeInt
    loss: Figure
    validation_loss: Figure
    metric: Figure
    learning_rate: Figure
    rows_per_second: Figure
    seconds: Figure
    calibrated_loss: Figure = math.nan


class SoupRecord(Record):
    """Record of a model soup: the averaged epochs and the validation figures of the average."""

    epochs: list[NonNegativeInt]
    metric: Figure
    validation_loss: Figure
    calibrated_loss: Figure = math.nan


class StopRecord(Record):
    """Record of early stopping: why (see `EarlyStop`), after which epoch, and for how many epochs the reason held."""

    LEFT_OUT: ClassVar = frozenset({"value"})
    reason: Literal["patience", "perfect", "plateau", "callback"]
    epoch: NonNegativeInt
    epochs: NonNegativeInt
    value: FiniteFloat | None = None


class HistoryRecord(Record):
    """Training history, epoch by epoch.

    Attributes:
        watched: the validation metric.
        select_by: what selected the best epoch (`train.select_by`).
        stop_by: what patience watched (`train.stop_by`).
        best: number of the best epoch.
        epochs: records of the epochs, in order.
        techniques: technique → its report.
        soup: the averaged epochs; None without a soup.
        stopped: why training ended early; None if it did not, or a budget ended it.
    """

    LEFT_OUT: ClassVar = frozenset({"soup", "stopped"})
    watched: str = ""
    select_by: SelectBy = "metric"
    stop_by: SelectBy = "metric"
    best: NonNegativeInt = 0
    epochs: list[EpochRecord] = []
    techniques: Reports = {}
    soup: SoupRecord | None = None
    stopped: StopRecord | None = None


class PretrainingEpoch(Record):
    """Record of one epoch of pre-training, which has no validation metric."""

    number: NonNegativeInt
    loss: Figure
    learning_rate: Figure
    rows_per_second: Figure
    seconds: Figure


class PretrainingRecord(Record):
    """Record of self-supervised pre-training.

    Attributes:
        rows: number of training rows.
        unlabelled: number of training rows without a label.
        epochs: records of the epochs, in order.
        techniques: technique → its report.
    """

    rows: NonNegativeInt
    unlabelled: NonNegativeInt
    epochs: list[PretrainingEpoch]
    techniques: Reports


class RestartRecord(Record):
    """Record of a network that predicted a constant, and of its second training.

    Attributes:
        learning_rate: learning rate of the second training; None if there was none.
        losses: validation loss of the first and of the second network, as `evaluate.constant.mean_loss` computes it.
        kept: which of them is the model.
        collapsed: whether the model predicts a constant.
        failure: why the second training failed; None if it did not.
        seconds: time of the training that is not kept; None without a second training.
    """

    LEFT_OUT: ClassVar = frozenset({"learning_rate", "failure", "seconds"})
    learning_rate: NonNegativeFloat | None = None
    losses: Annotated[list[Figure], Field(min_length=1, max_length=2)]
    kept: Literal["first", "second"] = "first"
    collapsed: bool
    failure: str | None = None
    seconds: NonNegativeFloat | None = None


class EvaluationRecord(Record):
    """Metrics on the rows of one split.

    Attributes:
        n: number of rows.
        metrics: name → value.
        intervals: name → 95% interval.
        groups: number of groups that were resampled as a whole; None if rows were resampled.
        few: numbers of rows or groups that are too few for intervals to be relied on, by `rows`, `groups` or
            `target.rows`; None if there are enough.
    """

    LEFT_OUT: ClassVar = frozenset({"groups", "few"})
    n: NonNegativeInt
    metrics: dict[str, Figure]
    intervals: dict[str, Pair]
    groups: NonNegativeInt | None = None
    few: dict[str, NonNegativeInt] | None = None


class MemberRecord(Record):
    """Record of a member: its name, its kind, the weight of its scores, and the modalities that it reads."""

    name: str
    kind: Literal["network", "estimator"]
    weight: Annotated[float, Field(gt=0, le=1)]
    modalities: list[str]


class CrossValidationRecord(Record):
    """Metrics of models that were trained like this one, each on a part of the rows, and tested on the others.

    Attributes:
        folds: number of folds of each repeat.
        repeats: how often the rows were cut into folds.
        rule: how they were cut.
        n: number of rows that were tested in each repeat.
        metrics: name → mean over folds.
        intervals: name → 95% interval of the corrected resampled t-test (Nadeau and Bengio 2003).
        by_fold: the metrics of each fold.
    """

    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)]
    rule: str
    n: NonNegativeInt
    metrics: dict[str, Figure]
    intervals: dict[str, Pair]
    by_fold: list[dict[str, Figure]]


class CalibrationRecord(Record):
    """Record of temperature scaling.

    Attributes:
        temperature: the divisor of the logits of a network, or of the log-probabilities of several members together;
            1 without scaling. For an ensemble of an early version, one per member, each with the common factor.
        members: the temperatures of the members, which are applied before they are combined; None for a single network.
        reason: `kept`, or why the temperature is not used: `no_gain` on rows that did not fit it, `at_bound` of
            the search, `one_class` in these rows, `few_rows`, `few_groups`; None in models of early versions.
            `above_prior`: used without a gain on other rows, because the log loss would exceed that of the class
            frequencies.
        rows, groups: number of validation rows that fitted it, and of their groups.
        fitted: the temperature of all these rows, kept or not. None if it was not fitted.
        gain: difference of the log loss without and with scaling on rows that did not fit the temperature.
        validation: `log_loss` and `ece` → without and with scaling on these rows.
        test: the same on the test rows; without scaling, every temperature is 1.
        prior_share: share of the class frequencies in the scores, where a temperature alone leaves a log loss above
            theirs; None without.
        targets: target → its record, if there are several; the other entries are then empty.
    """

    LEFT_OUT: ClassVar = frozenset(
        {"temperature", "members", "reason", "rows", "groups", "fitted", "gain", "validation", "prior_share", "targets"}
    )
    temperature: NonNegativeFloat | list[NonNegativeFloat] | None = None
    members: list[NonNegativeFloat] | None = None
    reason: Literal["kept", "no_gain", "at_bound", "one_class", "few_rows", "few_groups", "above_prior"] | None = None
    rows: NonNegativeInt | None = None
    groups: NonNegativeInt | None = None
    fitted: NonNegativeFloat | None = None
    gain: Difference | None = None
    validation: dict[str, Pair] | None = None
    test: dict[str, Pair] | None = None
    prior_share: Annotated[float, Field(ge=0, le=1)] | None = None
    targets: dict[str, CalibrationRecord] | None = None

    def without_metrics(self) -> CalibrationRecord:
        """Return the record of the temperature alone, for a model whose network has changed."""
        targets = self.targets and {name: own.without_metrics() for name, own in self.targets.items()}
        return self.updated(gain=None, validation=None, test=None, targets=targets)
