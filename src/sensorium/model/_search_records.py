"""Records of fine-tuning and hyperparameter search on the model card."""

# ruff: noqa: RUF012 – pydantic copies default values

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from sensorium.files.figures import Figure
from sensorium.metrics import Difference
from sensorium.model._record import Record
from sensorium.model._training_records import HistoryRecord


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


class SearchTraining(Record):
    """Record of one training of a search.

    Attributes:
        number: number of the training within the search, from 1 in the order in which they were run.
        stage: `single`, `rung` or `final`.
        epochs: maximum number of epochs.
        trained: number of epochs trained.
        best: number of the best epoch, whose weights the model has; 0 if training failed.
        soup: numbers of the epochs whose weights were averaged instead; empty without a soup.
        metric, loss: validation metric and loss of the model; None if training failed.
        seconds: training time.
    """

    number: NonNegativeInt = 0
    stage: str
    epochs: NonNegativeInt
    trained: NonNegativeInt
    best: NonNegativeInt = 0
    soup: list[NonNegativeInt] = []
    metric: float | None
    loss: float | None
    seconds: NonNegativeFloat


class SearchTrial(SearchTraining):
    """Record of a candidate or single modality of a search; its figures are those of its best training.

    Attributes:
        key, name: key and name of the candidate or modality.
        choices: setting → value.
        trainings: all of its trainings in their order: the rungs that it reached, then the training to the end.
    """

    key: str
    name: str
    choices: dict[str, Any] = {}
    trainings: list[SearchTraining] = []


class SearchCoverage(Record):
    """Record of what a search tried of its space.

    Attributes:
        planned: number of candidates that the schedule had room for.
        tried: number of candidates that were trained, the plain fit among them.
        varied: settings that at least one of them changed.
        unvaried: settings of the search space that none of them changed.
        candidates_needed: number of candidates that vary all of these; None if all were varied.
        seconds_needed: estimate of the budget that tries so many; None if all were varied, or if trainings have too
            few epochs to compare as many.
    """

    LEFT_OUT: ClassVar = frozenset({"candidates_needed", "seconds_needed"})
    planned: NonNegativeInt
    tried: NonNegativeInt
    varied: list[str]
    unvaried: list[str]
    candidates_needed: NonNegativeInt | None = None
    seconds_needed: NonNegativeFloat | None = None


class SearchRecord(Record):
    """Record of a search within a time budget.

    Attributes:
        budget, seconds: the time budget, and the time used until the end of the search.
        metric: the watched metric.
        plan: rungs of successive halving and epochs of the final trainings; None if the time was too short.
        trials: number of candidates and single modalities that were trained.
        trainings: number of trainings; a trial is trained once per rung. 0 in models of early versions.
        best: the best trials, best first.
        best_single: the best trial of a single modality.
        chosen: names of the chosen models; for a blend, of its networks.
        ensemble: gain of the ensemble over its first member; None if one model is chosen.
        validation: watched validation metric of the chosen model or ensemble, or of the first network of a blend; None
            if it is not defined.
        coverage: what was tried; None in models of early versions.
    """

    LEFT_OUT: ClassVar = frozenset({"coverage"})
    budget: NonNegativeFloat
    seconds: NonNegativeFloat
    metric: str
    plan: dict[str, Any] | None = None
    trials: NonNegativeInt
    trainings: NonNegativeInt = 0
    best: list[SearchTrial]
    best_single: SearchTrial | None = None
    chosen: list[str]
    ensemble: Difference | None = None
    validation: float | None = None
    coverage: SearchCoverage | None = None
