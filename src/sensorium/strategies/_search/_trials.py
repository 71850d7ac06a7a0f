"""Train the trials of a search, each once and within its time, and record them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sensorium.files.figures import finite
from sensorium.findings import count
from sensorium.metrics import rank_value
from sensorium.runtime.progress import Reporter, duration_text
from sensorium.strategies._base import Session
from sensorium.strategies._budget import Budget
from sensorium.trials import Control, TrialResult, TrialSpec

KEPT = 6  # models held in memory: those that may be chosen, or join an ensemble


@dataclass(frozen=True)
class Entrant:
    """Candidate or single modality that takes part in a search.

    Attributes:
        key: key in the journal: the name of a modality or the number of a candidate.
        name: name in messages.
        spec: the trial, without the number of epochs.
        choices: the choices of a candidate; empty for a single modality.
    """

    key: str
    name: str
    spec: TrialSpec
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_single(self) -> bool:
        return self.spec.towers is not None


@dataclass(frozen=True)
class TrainingResult:
    """Result of one training in a search.

    Attributes:
        number: number of the training within the search, from 1 in the order in which they were run.
        key, name: those of the entrant.
        stage: `single`, `rung` or `final`.
        epochs: maximum number of epochs, at which the learning rate schedule ends.
        trained: number of epochs trained, fewer with early stopping or too little time.
        best: number of the best epoch, whose weights the model has; 0 if training failed.
        soup: numbers of the epochs whose weights were averaged instead; empty without a soup.
        metric: the watched validation metric of the model; None if training failed or the metric is not defined.
        loss: the validation loss of the same weights, which breaks ties of the metric; None if training failed.
        seconds: time of the training.
        choices: the choices of a candidate.
    """

    key: str
    name: str
    stage: str
    epochs: int
    trained: int
    metric: float | None
    loss: float | None
    seconds: float
    choices: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    best: int = 0
    soup: Sequence[int] = ()

    @property
    def per_epoch(self) -> float:
        """Seconds per epoch."""
        return max(self.seconds, 1e-9) / max(1, self.trained)

    def to_json(self) -> dict[str, Any]:
        """Return the training as JSON values, without what all trainings of its trial share."""
        own = {name: value for name, value in asdict(self).items() if name not in ("key", "name", "choices")}
        return own | {"seconds": round(self.seconds, 3), "soup": list(self.soup)}


@dataclass(frozen=True)
class Trial:
    """Candidate or single modality with its trainings, in the order in which they were run.

    The model of its best training stands for it.
    """

    trainings: Sequence[TrainingResult]
    best: TrainingResult

    def to_json(self) -> dict[str, Any]:
        own = {"key": self.best.key, "name": self.best.name, "choices": dict(self.best.choices)}
        return own | self.best.to_json() | {"trainings": [training.to_json() for training in self.trainings]}


class Trials:
    """Trials of a search, with their results and the best models.

    Args:
        session: the state of the fit; its ledger records finished trials, and its control saves the best model.
        budget: the time budget.
    """

    def __init__(self, session: Session, budget: Budget) -> None:
        self.session, self.budget, self.report = session, budget, session.report
        self._ledger, self._keep = session.ledger, session.control.keep
        self.metric = session.data.plan.metric
        self.results: list[TrainingResult] = []
        self.models: dict[tuple[str, int], TrialResult] = {}
        self._known: dict[tuple[str, int], TrainingResult] = {}

    def run(self, entrant: Entrant, epochs: int, stage: str, seconds: float = math.inf) -> TrainingResult:
        """Train for at most `epochs` epochs within a time limit; a finished trial is not trained again."""
        place = entrant.key, epochs
        result = self._known.get(place) or self._recorded(entrant, epochs, stage)
        if not result:
            result = self._train(entrant, epochs, stage, seconds)
            self._tell(result)
        self._known[place] = result
        return result

    def knows(self, entrant: Entrant, epochs: int) -> bool:
        """Return whether the trial is finished, in this process or before an interruption."""
        known = (entrant.key, epochs) in self._known
        return known or self._ledger.find(entrant.spec.with_epochs(epochs)) is not None

    def model(self, entrant: Entrant, result: TrainingResult) -> TrialResult:
        """Return the model of a result; if it is neither in memory nor saved, train it again to the same weights."""
        place, passed = (entrant.key, result.epochs), itertools.count(1)
        if place not in self.models and (saved := self._load(entrant.spec.with_epochs(result.epochs))):
            self.models[place] = saved
        if place not in self.models:
            self.report.log(f"{entrant.name}: trained again, because the interrupted search did not save its weights")
            control = self._control(self.report, lambda: next(passed) >= result.trained)
            self.models[place] = self.session.train(entrant.spec.with_epochs(result.epochs), control)
        return self.models[place]

    def saved(self, entrant: Entrant, result: TrainingResult) -> TrialResult:
        """Return the model of a result with the time of its training, and save it for a resumed search."""
        trial = replace(self.model(entrant, result), seconds=result.seconds)
        self._ledger.record(trial, self._ledger.save_model(trial))
        return trial

    def _load(self, spec: TrialSpec) -> TrialResult | None:
        """Return a trial whose model is saved; None if there is none."""
        known = self._ledger.find(spec, with_model=True)
        fitted = self._ledger.load_model(spec) if known else None
        return replace(known, fitted=fitted) if known and fitted else None

    def ranked(self) -> list[TrainingResult]:
        """Return all results, best first; ties keep their order."""
        return sorted(self.results, key=self.rank, reverse=True)

    def by_candidate(self) -> list[Trial]:
        """Return every candidate and single modality once, with all of its trainings, in the order of the first."""
        own: dict[str, list[TrainingResult]] = {}
        for result in self.results:
            own.setdefault(result.key, []).append(result)
        return [Trial(trainings, max(trainings, key=self.rank)) for trainings in own.values()]

    def rank(self, result: TrainingResult) -> tuple[float, float]:
        """Return the sort key of a result: the watched metric, then the loss; failed trainings rank last."""
        return rank_value(self.metric, result.metric), -math.inf if result.loss is None else -result.loss

    def _recorded(self, entrant: Entrant, epochs: int, stage: str) -> TrainingResult | None:
        trial = self._ledger.find(entrant.spec.with_epochs(epochs))
        return self._add(self._result(entrant, epochs, stage, trial)) if trial else None

    def _train(self, entrant: Entrant, epochs: int, stage: str, seconds: float) -> TrainingResult:
        start, report = self.budget.clock(), self.report
        report.step(f"{entrant.name}, {count(epochs, 'epoch')}; {duration_text(max(0.0, self.budget.left))} left")
        past = list[float]()

        def should_stop() -> bool:
            """Stop the training if there is no time for another epoch of average duration."""
            past.append(self.budget.clock() - start)
            return past[-1] >= seconds or self.budget.left < past[-1] / len(past)

        stop = should_stop if math.isfinite(seconds) else lambda: False
        spec = entrant.spec.with_epochs(epochs)
        trial = self.session.train(spec, self._control(report, stop))
        if trial.error is not None:
            report.log(f"! {entrant.name}: {trial.error.finding}")
        timed = replace(trial, seconds=self.budget.clock() - start)
        result = self._result(entrant, epochs, stage, timed)
        better = all(self.rank(result) > self.rank(other) for other in self.results)
        result = self._add(result)
        if trial.error is None:
            self.models[entrant.key, epochs] = trial
            if better and self._keep:
                self._keep(trial.model)
            self._forget()
        self._ledger.record(timed)
        return result

    def _control(self, report: Reporter, should_stop: Callable[[], bool]) -> Control:
        """Return the options of a training: a candidate that predicts a constant is not trained again."""
        return Control(report, should_stop=should_stop, judge=False, restarts=False)

    def _result(self, entrant: Entrant, epochs: int, stage: str, trial: TrialResult) -> TrainingResult:
        key, name, choices = entrant.key, entrant.name, entrant.choices
        if trial.error is not None:
            return TrainingResult(key, name, stage, epochs, 0, None, None, trial.seconds, choices)
        history = trial.training_history
        loss = history.soup["validation_loss"] if history.soup else history.epochs[history.best - 1].validation_loss
        return TrainingResult(
            key=key,
            name=name,
            stage=stage,
            epochs=epochs,
            trained=len(history.epochs),
            metric=finite(trial.validated(self.metric)),
            loss=None if loss is None else finite(loss),
            seconds=trial.seconds,
            choices=choices,
            best=history.best,
            soup=tuple(history.soup.get("epochs", ())),
        )

    def _add(self, result: TrainingResult) -> TrainingResult:
        result = replace(result, number=len(self.results) + 1)
        self.results.append(result)
        return result

    def _forget(self) -> None:
        """Keep only the best models in memory, ranked with the single modalities."""
        ranked = [(result.key, result.epochs) for result in self.ranked()]
        held = [place for place in ranked if place in self.models][:KEPT]
        self.models = {key: model for key, model in self.models.items() if key in held}

    def _tell(self, result: TrainingResult) -> None:
        best = self.ranked()[0]
        self.report.step(
            f"{result.name} ({result.seconds:.0f} s): {self._shown(result)}{_weights(result)}; "
            f"best so far: {best.name}, {self._shown(best)}"
        )

    def _shown(self, result: TrainingResult) -> str:
        if result.metric is not None:
            return f"{self.metric} {result.metric:.4f}"
        return "failed" if result.loss is None else f"loss {result.loss:.4f} ({self.metric} is not defined)"


def _weights(result: TrainingResult) -> str:
    """Name the epochs whose weights the model has."""
    if result.soup:
        return f", average of the epochs {', '.join(map(str, result.soup))}"
    return f" in epoch {result.best} of {result.trained}" if result.best else ""
