"""Records of what was tried and found: modality imbalance, unfreezing, search, distribution shift, adaptation."""

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
    """Signs of imbalance of one modality in a fused model, in units of the watched metric unless said.

    Attributes:
        alone, alone_train: given it alone, on the rows that judge and on training rows.
        without: given all the others.
        probe: a linear probe of its tokens.
        overfit_ratio: ΔO/ΔG of its predictions alone.
        gradient_norm: of its tower, the mean over steps.
    """

    alone: Figure
    alone_train: Figure
    without: Figure
    probe: Figure
    overfit_ratio: Figure
    gradient_norm: Figure


class Diagnosis(Record):
    """Whether modalities learn evenly.

    Attributes:
        state: from one run `even`, `uneven` (a modality is far behind) or `nothing` (no modality shows any skill); once
            each was trained alone `undertrained` (one did better so), `weak` (behind both ways) or `balanced`.
        leads: the modality with the most skill alone.
        behind: modalities that are behind it.
        overfitting: modalities that overfit more than they generalize.
        mitigations: techniques to try.
        failed: modalities whose own training failed, so that nothing is known of them.
    """

    state: State
    leads: str
    behind: list[str] = []
    overfitting: list[str] = []
    mitigations: list[str] = []
    failed: list[str] = []


class ImbalanceSigns(Record):
    """What the technique `modality_imbalance` reports.

    Attributes:
        metric: the watched one.
        rows: the split that judges.
        all: metric of the model that is given all modalities.
        chance: metric of the training rows' average.
        modalities: name → signs.
        diagnosis: from this run alone.
    """

    metric: str
    rows: str
    all: Figure
    chance: Figure
    modalities: dict[str, ModalitySigns]
    diagnosis: Diagnosis


class UnimodalRecord(Record):
    """One modality on the validation rows.

    Attributes:
        in_fused: watched metric of the fused model that is given this modality only.
        trained_alone: of a model that was trained on it alone.
        difference: the latter less the former.
    """

    in_fused: Figure
    trained_alone: Figure
    difference: Difference


class MitigationRecord(Record):
    """One way of training the fused model.

    Attributes:
        name: `plain`, a technique, or `unimodal_pretraining`: encoders trained alone, then the fusion of them.
        validation: watched metric on the validation rows, by which one is chosen.
        metrics, intervals: on the rows that judge.
        difference: less plain training; None of plain training itself.
        seconds: of training.
    """

    name: str
    validation: Figure
    metrics: dict[str, Figure]
    intervals: dict[str, Pair]
    difference: CorrectedDifference | None
    seconds: NonNegativeFloat


class ImbalanceRecord(Record):
    """A check for modality imbalance and the mitigations that were tried.

    Attributes:
        metric: the watched one.
        diagnosis: after each modality was trained alone.
        unimodal: modality → how it does in the fused model and trained alone.
        results: plain training first.
        rows: the split that judges.
        chosen: name of the result that is kept.
    """

    metric: str
    diagnosis: Diagnosis
    unimodal: dict[str, UnimodalRecord]
    results: list[MitigationRecord] = Field(min_length=1)
    rows: str = "test"
    chosen: str


class TuningRecord(Record):
    """Whether fine-tuning the pretrained encoders paid off, on the validation rows.

    Attributes:
        kept: the model that is kept.
        metric: the watched one.
        frozen, tuned: its value with frozen and with fine-tuned encoders.
        difference: tuned less frozen; None if fine-tuning failed.
        seconds: of fine-tuning.
        history: of fine-tuning.
        failure: why fine-tuning failed; empty if it did not.
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
    """One training of a search.

    Attributes:
        key, name: of what was trained.
        stage: `single`, `rung` or `final`.
        epochs: at most.
        trained: epochs that it took.
        metric, loss: on the validation rows; None where training failed.
        seconds: that it took.
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
    """A search within a time budget.

    Attributes:
        budget, seconds: the time that was given and used.
        metric: the watched one.
        plan: rungs of successive halving and epochs of the final trainings; None if there was time for neither.
        trials: how many trainings there were.
        best: the best of them, best first.
        best_single: the best of one modality.
        chosen: names of the models that are kept.
        ensemble: what several of them gain over the first; None if one is kept.
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
    """Predictions of the same rows, before and after.

    Attributes:
        rows: how many.
        labels: label → mean probability; None of a regression.
        changed: share of rows whose predicted label is another one.
        mean, deviation: of predicted values; None of a classification.
    """

    LEFT_OUT: ClassVar = frozenset({"labels", "changed", "mean", "deviation"})
    rows: NonNegativeInt
    labels: dict[str, Pair] | None = None
    changed: float | None = None
    mean: Pair | None = None
    deviation: Pair | None = None


class MetricShift(Record):
    """Metrics on the same rows before and after; the difference is positive where the watched one got better."""

    before: EvaluationRecord
    after: EvaluationRecord
    difference: Difference


class ShiftRecord(Record):
    """How a model changed when it was continued or adapted: columns, weights, predictions, metrics.

    Attributes:
        source: name of the table before (`from` in JSON).
        labels: new ones.
        missing: columns of the model that the new table lacks.
        unused: columns of the new table that the model does not know.
        columns: column → statistic → before and after; `shift`: of the mean, in standard deviations.
        weights: part of the network → relative change of its weights; None if they were all zero.
        split: the rows that are compared.
        answers, metrics: on these rows, where they could be computed.
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
    """How a model was adapted; the method's own report is kept beside these entries.

    Attributes:
        method: registered name.
        options: of the method.
        table: name of the table.
        rows: that it was adapted to.
    """

    model_config = ConfigDict(extra="allow")
    method: str
    options: dict[str, Any]
    table: str
    rows: NonNegativeInt
