"""Model card, the record of a model's training, and data specification, which predictions depend on."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, model_validator

from sensorium.config import IMBALANCE_TECHNIQUE
from sensorium.findings import ColumnPlan, Problems
from sensorium.model._blend_records import BlendCandidate, BlendRecord
from sensorium.model._conformal_records import CalibrationSource, ConformalRecord, CoverageRecord
from sensorium.model._imbalance_records import (
    Diagnosis,
    ImbalanceRecord,
    ImbalanceSigns,
    MitigationRecord,
    ModalitySigns,
    UnimodalRecord,
)
from sensorium.model._preset_records import BackboneRecord, PresetRecord
from sensorium.model._record import Record
from sensorium.model._search_records import SearchCoverage, SearchRecord, SearchTraining, SearchTrial, TuningRecord
from sensorium.model._shift_records import AdaptationRecord, MetricShift, PredictionShift, ShiftRecord
from sensorium.model._threshold_records import ThresholdRecord
from sensorium.model._training_records import (
    CalibrationRecord,
    CrossValidationRecord,
    EpochRecord,
    EvaluationRecord,
    HistoryRecord,
    MemberRecord,
    Notice,
    PretrainingEpoch,
    PretrainingRecord,
    ProblemRecord,
    RestartRecord,
    SoupRecord,
    StopRecord,
    UnlabelledRecord,
)

__all__ = [
    "AdaptationRecord",
    "BackboneRecord",
    "BlendCandidate",
    "BlendRecord",
    "CalibrationRecord",
    "CalibrationSource",
    "ConformalRecord",
    "CoverageRecord",
    "CrossValidationRecord",
    "DataSpec",
    "Diagnosis",
    "EpochRecord",
    "EvaluationRecord",
    "HistoryRecord",
    "ImbalanceRecord",
    "ImbalanceSigns",
    "MemberRecord",
    "MetricShift",
    "MitigationRecord",
    "ModalitySigns",
    "ModelCard",
    "Notice",
    "PredictionShift",
    "PresetRecord",
    "PretrainingEpoch",
    "PretrainingRecord",
    "ProblemRecord",
    "Record",
    "RestartRecord",
    "SearchCoverage",
    "SearchRecord",
    "SearchTraining",
    "SearchTrial",
    "ShiftRecord",
    "SoupRecord",
    "StopRecord",
    "ThresholdRecord",
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
        split_earlier: positions of rows that stayed in the training part, as the start model or the teacher was trained
            on them.
        statistics: column → statistic → value on the training rows, to measure distribution shift.
    """

    model_config = ConfigDict(strict=True, extra="forbid")
    text_columns: list[str] = []
    fingerprint: str = ""
    split_column: str | None = None
    split_rule: str = ""
    split_rows: dict[str, NonNegativeInt] = {}
    split_digest: str = ""
    split_earlier: list[NonNegativeInt] = []
    statistics: dict[str, dict[str, float]] = {}


class ModelCard(Record):
    """Model card: a record of the training for people. Predictions do not depend on it (see `DataSpec`).

    Attributes:
        table: name of the training table.
        columns: modality and treatment of each of its columns.
        unlabelled: rows without a label, and the techniques that used them.
        problems: number of problems of cells and columns in the fit or the adaptation.
        fit_problems: these problems, up to a limit; None in models of early versions.
        notes: remarks on how the table was opened.
        notices: notices about cells, columns and the table.
        augment: column → augmentation → its options.
        history: training history.
        pretraining: self-supervised pre-training; None if there was none.
        preset: preset of the fit; None in a comparison and in models of early versions.
        restart: second training of a network that predicted a constant; None if it did not.
        seconds: time of pre-training and training.
        members: the members of an ensemble or a blend, with their weights; None for a single network.
        calibration: temperature scaling; None if there was none.
        conformal: prediction sets and intervals; None if the model has none.
        threshold: decision thresholds; None for the default, 0.5, and for tasks that have none.
        modality_weights: tower → its mean weight in the fusion; None if the fusion has no weights (`shares` in JSON).
        metrics: split → metrics.
        cross_validation: metrics of models that were trained alike on folds; None if there were none.
        imbalance: check for modality imbalance; None if there was none.
        tuning: fine-tuning of pretrained encoders; None if there was none.
        search: search within a time budget; None if there was none.
        blend: how the members of a blend were chosen; None for other models.
        shift: change by continued training or adaptation; None for a new model (`moved` in JSON).
        adapted: the adaptation; None if there was none.
        int8: number of quantized modules; None if the model is not quantized.
    """

    LEFT_OUT: ClassVar = frozenset(
        (
            "fit_problems",
            "cross_validation",
            "preset",
            "restart",
            "members",
            "calibration",
            "conformal",
            "threshold",
            "imbalance",
            "tuning",
            "search",
            "blend",
            "shift",
            "adapted",
            "int8",
        )
    )
    table: str = ""
    columns: list[ColumnPlan] = []
    unlabelled: UnlabelledRecord = UnlabelledRecord()
    problems: NonNegativeInt = 0
    fit_problems: list[ProblemRecord] | None = None
    notes: list[str] = []
    notices: list[Notice] = []
    augment: dict[str, dict[str, Any]] = {}
    history: HistoryRecord = HistoryRecord()
    pretraining: PretrainingRecord | None = None
    preset: PresetRecord | None = None
    restart: RestartRecord | None = None
    seconds: NonNegativeFloat = 0.0
    members: list[MemberRecord] | None = None
    calibration: CalibrationRecord | None = None
    conformal: ConformalRecord | None = None
    threshold: ThresholdRecord | None = None
    modality_weights: dict[str, float] | None = Field(None, alias="shares")
    metrics: dict[str, EvaluationRecord] = {}
    cross_validation: CrossValidationRecord | None = None
    imbalance: ImbalanceRecord | None = None
    tuning: TuningRecord | None = None
    search: SearchRecord | None = None
    blend: BlendRecord | None = None
    shift: ShiftRecord | None = Field(None, alias="moved")
    adapted: AdaptationRecord | None = None
    int8: NonNegativeInt | None = None

    @model_validator(mode="after")
    def _check_signs(self) -> Self:
        _ = self.imbalance_signs
        return self

    def with_problems(self, problems: Problems) -> ModelCard:
        """Return the card with the problems of a fit or an adaptation."""
        return self.updated(problems=len(problems), fit_problems=ProblemRecord.of(problems))

    def problems_of_fit(self) -> Problems:
        """Return the problems that the card lists, without the values of their cells."""
        return Problems([problem for record in self.fit_problems or () for problem in record.problems()])

    @property
    def collapsed(self) -> bool:
        """Whether the network predicts a constant, also after a second training."""
        return self.restart is not None and self.restart.collapsed

    @property
    def imbalance_signs(self) -> ImbalanceSigns | None:
        """Report of the technique `modality_imbalance`; None if it was off."""
        signs = self.history.techniques.get(IMBALANCE_TECHNIQUE)
        return None if signs is None else ImbalanceSigns.model_validate(signs)
