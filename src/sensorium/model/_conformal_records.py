"""Records of conformal prediction on the model card."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, NonNegativeInt

from sensorium.files.figures import Figure
from sensorium.model._record import Record
from sensorium.model._training_records import Pair

CalibrationSource: TypeAlias = Literal["validation", "held_out", "out_of_fold"]


class CoverageRecord(Record):
    """Coverage of the sets or intervals of one target on the test rows, and their mean size or width.

    Attributes:
        rows: number of test rows.
        coverage: share of rows whose set or interval contains the truth.
        interval: its 95% interval.
        size: mean number of classes or labels in a set, or mean width of an interval.
        size_interval: its 95% interval.
    """

    rows: NonNegativeInt
    coverage: Figure
    interval: Pair
    size: Figure
    size_interval: Pair


class ConformalRecord(Record):
    """Record of the conformal predictors of a model.

    Attributes:
        source: rows whose nonconformity scores they are: `validation` rows, which chose the epoch or the settings of
            the model as well; `held_out` validation rows, which did not; or training and validation rows that were
            predicted `out_of_fold`.
        methods: target, or "" if there is one only → nonconformity score.
        asked: the score of the settings, which has too few rows for a target that it suits; None if it is used.
        rows: target → number of these rows.
        groups: target → number of their groups; None if rows are not grouped.
        by_time: whether the rows were split by time.
        level: coverage on the test rows that was asked for.
        test: target → coverage on the test rows; empty without test rows.
    """

    LEFT_OUT: ClassVar = frozenset({"asked", "groups", "level"})
    source: CalibrationSource
    methods: dict[str, str]
    asked: str | None = None
    rows: dict[str, NonNegativeInt]
    groups: dict[str, NonNegativeInt] | None = None
    by_time: bool = False
    level: Annotated[float, Field(gt=0, lt=1)] | None = None
    test: dict[str, CoverageRecord] = {}
