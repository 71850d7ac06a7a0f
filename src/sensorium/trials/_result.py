"""Options and result of a trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensorium.baselines import Baseline
from sensorium.errors import TrainingError
from sensorium.metrics import Outcome, score
from sensorium.model import FittedModel
from sensorium.model.card import BlendRecord
from sensorium.planning import PreparedTable
from sensorium.runtime.events import Callback
from sensorium.runtime.progress import Reporter, Silent
from sensorium.train import Checkpoint, History
from sensorium.trials._build import ModelOf, model_of_none
from sensorium.trials._cost import Cost
from sensorium.trials._spec import TrialSpec

if TYPE_CHECKING:
    from sensorium.table import Rows


@dataclass(frozen=True)
class Control:
    """Options of running a trial that do not change its result.

    Attributes:
        report: logs progress.
        keep: called with the model after each epoch that is the best so far.
        checkpoint: saves the state of training, and resumes from it.
        should_stop: called after each epoch; training stops if it returns True.
        callbacks: receive the events of training.
        model_of: returns the model of an earlier trial by its name.
        judge: whether to predict the test rows as well; a search only does so for the chosen model.
        measure: whether to measure memory, energy and speed of prediction.
        restarts: whether a network that predicts a constant is trained again; a search tries other settings instead.
    """

    report: Reporter = field(default_factory=Silent)
    keep: Callable[[FittedModel], None] | None = None
    checkpoint: Checkpoint | None = None
    should_stop: Callable[[], bool] = lambda: False
    callbacks: Sequence[Callback] = ()
    model_of: ModelOf = model_of_none
    judge: bool = True
    measure: bool = False
    restarts: bool = True


USUAL = Control()


@dataclass(frozen=True)
class TrialResult:
    """Result of a trial.

    Attributes:
        spec: the specification of the trial.
        outcomes: `validation` and `test` → truth and scores of the rows, for splits that have rows.
        seconds: time of pre-training and training.
        history: the history of training; None for a baseline.
        fitted: the model; None for a baseline and for a failed trial. The model of a trial that was finished in an
            earlier run is None until it is loaded.
        predict_seconds: time of predicting the test rows; NaN if they were not predicted.
        cost: the cost of the model; None if it was not measured.
        error: the reason why training failed; None if it did not fail.
        threads: number of threads that the network was trained with; None for a baseline and a failed trial.
        judged: positions of the rows of the validation outcome; None if these are all validation rows.
        collapsed: whether the network predicts a constant, also after a second training.
        estimator: the fitted model of a baseline; None for a network and a failed trial.
        blend: how the members of a blend were chosen; None for other models.
    """

    spec: TrialSpec
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    seconds: float = 0.0
    history: History | None = None
    fitted: FittedModel | None = None
    predict_seconds: float = math.nan
    cost: Cost | None = None
    error: TrainingError | None = None
    threads: int | None = None
    estimator: Baseline | None = None
    judged: Rows | None = None
    collapsed: bool = False
    blend: BlendRecord | None = None

    def rows(self, data: PreparedTable, split: str) -> Rows:
        """Return the positions of the rows of an outcome."""
        return self.judged if split == "validation" and self.judged is not None else data.rows(split)

    @property
    def model(self) -> FittedModel:
        """The trained model."""
        assert self.fitted is not None, self.spec.name
        return self.fitted

    @property
    def training_history(self) -> History:
        """Return the history of training."""
        assert self.history is not None, self.spec.name
        return self.history

    def validated(self, metric: str) -> float:
        """Return a metric of the final model on the rows of its validation outcome; NaN if it is not defined."""
        found = self.outcomes.get("validation")
        return float(score(metric, found)[0]) if found else math.nan
