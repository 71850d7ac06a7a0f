"""Records on the model card: modality imbalance, fine-tuning, search, distribution shift, adaptation."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt

from sensorium.files.figures import Figure
from sensorium.metrics import CorrectedDifference, Difference
from sensorium.model._record import Record
from sensorium.model._training_records import EvaluationRecord, HistoryRecord, Pair

State: TypeAlias = Literal["nothing", "even", "uneven", "undertrained", "weak", "balanced"]


class ModalitySigns(Record):
    """Signs of imbalance of one modality in a fused model, in units of the watched metric unless stated otherwise.

    Attributes:
        alone, alone_train: metric of the fused model with this modality only, on the rows of the report and on the
            training rows.
        without: metric of the fused model with all other modalities.
        probe: metric of a linear probe of its tokens.
        overfit_ratio: ΔO/ΔG of its predictions alone.
        gradient_norm: gradient norm of its tower, the mean over steps.
    """

    alone: Figure
    alone_train: Figure
    without: Figure
    probe: Figure
    overfit_ratio: Figure
    gradient_norm: Figure


class Diagnosis(Record):
    """Diagnosis of modality imbalance.

    Attributes:
        state: after one run, `even`, `uneven` (a modality is far behind) or `nothing` (all are at chance level);
            with unimodal models, `undertrained` (one beats the fused model), `weak` or `balanced`.
        leads: the modality with the most skill alone.
        behind: modalities that are behind it.
        overfitting: modalities that overfit more than they generalize.
        mitigations: techniques to try.
        failed: modalities whose unimodal training failed, so that they cannot be diagnosed.
    """

    state: State
    leads: str
    behind: list[str] = []
    overfitting: list[str] = []
    mitigations: list[str] = []
    failed: list[str] = []


class ImbalanceSigns(Record):
    """Report of the technique `modality_imbalance`.

    Attributes:
        metric: the watched metric.
        rows: the split of the report.
        all: metric with all modalities.
        chance: chance level, the metric of predicting the average of the training rows.
        modalities: name → signs of imbalance.
        diagnosis: the diagnosis from this run.
    """

    metric: str
    rows: str
    all: Figure
    chance: Figure
    modalities: dict[str, ModalitySigns]
    diagnosis: Diagnosis


class UnimodalRecord(Record):
    """Validation metrics of one modality, in the fused model and in a unimodal model.

    Attributes:
        in_fused: watched metric of the fused model with this modality only.
        trained_alone: watched metric of a unimodal model.
        difference: `trained_alone` minus `in_fused`.
    """

    in_fused: Figure
    trained_alone: Figure
    difference: Difference


class MitigationRecord(Record):
    """Training of the fused model with one mitigation.

    Attributes:
        name: `plain`, a technique, or `unimodal_pretraining` (each encoder alone, then the fusion).
        validation: watched validation metric, which selects the model.
        metrics, intervals: metrics on the rows of the report.
        difference: difference to plain training; None for plain training.
        seconds: training time.
    """

    name: str
    validation: Figure
    metrics: dict[str, Figure]
    intervals: dict[str, Pair]
    difference: CorrectedDifference | None
    seconds: NonNegativeFloat


class ImbalanceRecord(Record):
    """Record of a check for modality imbalance and the mitigations that were tried.

    Attributes:
        metric: the watched metric.
        diagnosis: the diagnosis with unimodal models.
        unimodal: modality → its validation metrics in the fused model and alone.
        results: results of all trainings, plain training first.
        rows: the split of the report.
        chosen: name of the chosen result.
    """

    metric: str
    diagnosis: Diagnosis
    unimodal: dict[str, UnimodalRecord]
    results: list[MitigationRecord] = Field(min_length=1)
    rows: str = "test"
    chosen: str


class TuningRecord(Record):
    """Record of fine-tuning pretrained encoders in a second stage, with validation metrics.

    Attributes:
        kept: which model is kept.
        metric: the watched metric.
        frozen, tuned: its value with frozen and with fine-tuned encoders.
        difference: `tuned` minus `frozen`; None if fine-tuning failed.
        seconds: time of fine-tuning.
        history: history of fine-tuning.
        failure: the reason why fine-tuning failed; empty if it did not.
    """

    LEFT_OUT: ClassVar = frozenset({"metric", "difference", "seconds", "history", "failure"})
    kept: Literal["frozen", "tuned"]
    metric: str | None = None
    frozen: Figure = math.nan
    tuned: Figure = math.nan
    difference: Difference | None = None
    seconds: NonNegativeFloat | None = None
    history: HistoryRecord | None = None
    failure: str | None = None


class SearchTrial(Record):
    """Record of one training of a search.

    Attributes:
        key, name: key and name of the candidate or modality.
        stage: `single`, `rung` or `final`.
        epochs: maximum number of epochs.
        trained: number of epochs trained.
        metric, loss: validation metric and loss; None if training failed.
        seconds: training time.
        choices: setting → value.
    """

    key: str
    name: str
    stage: str
    epochs: NonNegativeInt
    trained: NonNegativeInt
    metric: float | None
    loss: float | None
    seconds: NonNegativeFloat
    choices: dict[str, Any] = {}


class SearchRecord(Record):
    """Record of a search within a time budget.

    Attributes:
        budget, seconds: the time budget and the time used.
        metric: the watched metric.
        plan: rungs of successive halving and epochs of the final trainings; None if the time was too short.
        trials: number of trainings.
        best: the best trials, best first.
        best_single: the best trial of a single modality.
        chosen: names of the chosen models.
        ensemble: gain of the ensemble over its first member; None if one model is chosen.
    """

    budget: NonNegativeFloat
    seconds: NonNegativeFloat
    metric: str
    plan: dict[str, Any] | None = None
    trials: NonNegativeInt
    best: list[SearchTrial]
    best_single: SearchTrial | None = None
    chosen: list[str]
    ensemble: Difference | None = None


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
    """Metrics on the same rows before and after; the difference is positive if the watched metric improved."""

    before: EvaluationRecord
    after: EvaluationRecord
    difference: Difference


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
