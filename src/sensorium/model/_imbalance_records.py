"""Records of modality imbalance on the model card."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from pydantic import Field, NonNegativeFloat

from sensorium.files.figures import Figure
from sensorium.metrics import CorrectedDifference, Difference
from sensorium.model._record import Record
from sensorium.model._training_records import Pair

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
        plain_signs: signs of imbalance of plain training, which the diagnosis is about; None in records of early
            versions.
    """

    LEFT_OUT: ClassVar = frozenset({"plain_signs"})
    metric: str
    diagnosis: Diagnosis
    unimodal: dict[str, UnimodalRecord]
    results: list[MitigationRecord] = Field(min_length=1)
    rows: str = "test"
    chosen: str
    plain_signs: ImbalanceSigns | None = None
