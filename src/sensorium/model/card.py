"""Model card, the record of a model's training, and data specification, which predictions depend on."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, model_validator

from sensorium.config import IMBALANCE_TECHNIQUE
from sensorium.findings import ColumnPlan
from sensorium.model._finding_records import (
    AdaptationRecord,
    Diagnosis,
    ImbalanceRecord,
    ImbalanceSigns,
    MetricShift,
    MitigationRecord,
    ModalitySigns,
    PredictionShift,
    SearchRecord,
    SearchTrial,
    ShiftRecord,
    TuningRecord,
    UnimodalRecord,
)
from sensorium.model._record import Record
from sensorium.model._training_records import (
    CalibrationRecord,
    EpochRecord,
    EvaluationRecord,
    HistoryRecord,
    Notice,
    PretrainingEpoch,
    PretrainingRecord,
    SoupRecord,
    UnlabelledRecord,
)

__all__ = [
    "AdaptationRecord",
    "CalibrationRecord",
    "DataSpec",
    "Diagnosis",
    "EpochRecord",
    "EvaluationRecord",
    "HistoryRecord",
    "ImbalanceRecord",
    "ImbalanceSigns",
    "MetricShift",
    "MitigationRecord",
    "ModalitySigns",
    "ModelCard",
    "Notice",
    "PredictionShift",
    "PretrainingEpoch",
    "PretrainingRecord",
    "Record",
    "SearchRecord",
    "SearchTrial",
    "ShiftRecord",
    "SoupRecord",
    "TuningRecord",
    "UnimodalRecord",
    "UnlabelledRecord",
]


class DataSpec(Record):
    """Data specification: how tables are read, and which rows the model was trained on.

    Attributes:
        text_columns: text columns of the training table, which are always read as text.
        fingerprint: hash of the training table.
        split_column: the column with the split of each row; None without one.
        split_rule: how the rows were split, in words.
        split_rows: split → number of rows.
        split_digest: hash of the splits of all rows; empty in models of early versions.
        statistics: column → statistic → value on the training rows, to measure distribution shift.
    """

    model_config = ConfigDict(strict=True, extra="forbid")
    text_columns: list[str] = []
    fingerprint: str = ""
    split_column: str | None = None
    split_rule: str = ""
    split_rows: dict[str, NonNegativeInt] = {}
    split_digest: str = ""
    statistics: dict[str, dict[str, float]] = {}


class ModelCard(Record):
    """Model card: a record of the training for people. Predictions do not depend on it (see `DataSpec`).

    Attributes:
        table: name of the training table.
        columns: modality and treatment of each of its columns.
        unlabelled: rows without a label, and the techniques that used them.
        problems: number of cells and columns with a problem.
        notes: remarks on how the table was opened.
        notices: notices about cells, columns and the table.
        augment: column → augmentation → its options.
        history: training history.
        pretraining: self-supervised pre-training; None if there was none.
        seconds: time of pre-training and training.
        calibration: temperature scaling; None if there was none.
        modality_weights: tower → its mean weight in the fusion; None if the fusion has no weights (`shares` in JSON).
        metrics: split → metrics.
        imbalance: check for modality imbalance; None if there was none.
        tuning: fine-tuning of pretrained encoders; None if there was none.
        search: search within a time budget; None if there was none.
        shift: change by continued training or adaptation; None for a new model (`moved` in JSON).
        adapted: the adaptation; None if there was none.
        int8: number of quantized modules; None if the model is not quantized.
    """

    LEFT_OUT: ClassVar = frozenset({"calibration", "imbalance", "tuning", "search", "shift", "adapted", "int8"})
    table: str = ""
    columns: list[ColumnPlan] = []
    unlabelled: UnlabelledRecord = UnlabelledRecord()
    problems: NonNegativeInt = 0
    notes: list[str] = []
    notices: list[Notice] = []
    augment: dict[str, dict[str, Any]] = {}
    history: HistoryRecord = HistoryRecord()
    pretraining: PretrainingRecord | None = None
    seconds: NonNegativeFloat = 0.0
    calibration: CalibrationRecord | None = None
    modality_weights: dict[str, float] | None = Field(None, alias="shares")
    metrics: dict[str, EvaluationRecord] = {}
    imbalance: ImbalanceRecord | None = None
    tuning: TuningRecord | None = None
    search: SearchRecord | None = None
    shift: ShiftRecord | None = Field(None, alias="moved")
    adapted: AdaptationRecord | None = None
    int8: NonNegativeInt | None = None

    @model_validator(mode="after")
    def _check_signs(self) -> Self:
        _ = self.imbalance_signs
        return self

    @property
    def imbalance_signs(self) -> ImbalanceSigns | None:
        """Report of the technique `modality_imbalance`; None if it was off."""
        signs = self.history.techniques.get(IMBALANCE_TECHNIQUE)
        return None if signs is None else ImbalanceSigns.model_validate(signs)
