"""The model card: how a model came about, as typed records; and the data specification that predictions depend on."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, model_validator

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
    """What decides how a table is read, and which of its rows were trained on.

    Attributes:
        text_columns: columns that were text in training; they are read as text, whatever a new table makes of them.
        fingerprint: of the table of the fit.
        split_column: the column that names each row's split; None if there was none.
        split_rule: how the rows were split, in words.
        split_rows: split → number of rows.
        split_digest: of the rows' splits; empty in models that were saved without.
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
    """How a model came about: a record for people. Nothing that a prediction depends on is in it (see `DataSpec`).

    Attributes:
        table: name of the table of the fit.
        columns: what became of each of its columns.
        unlabelled: rows without a label, and what learnt from them.
        problems: number of cells and columns that could not be taken as they were.
        notes: what was noticed while the table was opened.
        notices: findings about cells, columns and the table.
        augment: column → augmentation → its options.
        history: of training.
        pretraining: self-supervised pre-training; None if there was none.
        seconds: spent on training and pre-training.
        calibration: temperature scaling; None if there was none.
        modality_weights: tower → its mean weight in the fusion; None if the fusion has no weights (`shares` in JSON).
        metrics: split → metrics.
        imbalance: check for modality imbalance; None if there was none.
        tuning: fine-tuning of pretrained encoders; None if there was none.
        search: search within a time budget; None if there was none.
        shift: how the model changed when it was continued or adapted; None of a new model (`moved` in JSON).
        adapted: how it was adapted; None if it was not.
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
        """What the technique `modality_imbalance` reported; None if it was off."""
        found = self.history.techniques.get("modality_imbalance")
        return None if found is None else ImbalanceSigns.model_validate(found)
