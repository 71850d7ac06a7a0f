"""Trials of a search: each is trained once, within its time, and recorded."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sensorium.files.figures import finite
from sensorium.metrics import lower_is_better
from sensorium.strategies._base import Session
from sensorium.strategies._search._budget import Budget, spell
from sensorium.strategies._search._space import with_epochs
from sensorium.trials import Control, TrialResult, TrialSpec

KEPT = 6  # models held in memory: those that may be chosen, or join an ensemble


@dataclass(frozen=True)
class Entrant:
    """What may be trained.

    Attributes:
        key: tells it in the journal: a modality's name or a candidate's number.
        name: for a person.
        spec: the trial, but for its number of epochs.
        choices: of a candidate; empty for a single modality.
    """

    key: str
    name: str
    spec: TrialSpec
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_single(self) -> bool:
        return self.spec.towers is not None


@dataclass(frozen=True)
class Result:
    """How one training went.

    Attributes:
        key, name: of the entrant.
        stage: `single`, `rung` or `final`.
        epochs: at most; the schedule of the learning rate ends with them.
        trained: epochs that it took, fewer where patience or time was over.
        metric: the watched one on the validation rows, None where training failed or it is not defined.
        loss: on the validation rows, which ranks what the metric does not; None where training failed.
        seconds: that it took.
        choices: of a candidate.
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

    @property
    def per_epoch(self) -> float:
        """Seconds."""
        return max(self.seconds, 1e-9) / max(1, self.trained)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "seconds": round(self.seconds, 3)}


class Trials:
    """Trains entrants and remembers how they did.

    Args:
        session: the fit; finished trials are recorded in its ledger and taken from there, and its control keeps the
            best model so far.
        budget: the time.
    """

    def __init__(self, session: Session, budget: Budget) -> None:
        self.session, self.budget, self.report = session, budget, session.report
        self._ledger, self._keep = session.ledger, session.control.keep
        self.metric = session.data.plan.metric
        self.sign = -1 if lower_is_better(self.metric) else 1
        self.results: list[Result] = []
        self.models: dict[tuple[str, int], TrialResult] = {}
        self._known: dict[tuple[str, int], Result] = {}

    def run(self, entrant: Entrant, epochs: int, stage: str, seconds: float = math.inf) -> Result:
        """Train for a maximum of epochs and about a maximum of seconds; a finished trial is not trained again."""
        place = entrant.key, epochs
        result = self._known.get(place) or self._recorded(entrant, epochs, stage)
        if not result:
            result = self._train(entrant, epochs, stage, seconds)
            self._tell(result)
        self._known[place] = result
        return result

    def knows(self, entrant: Entrant, epochs: int) -> bool:
        """Return whether the trial is finished, here or before the search was stopped."""
        known = (entrant.key, epochs) in self._known
        return known or self._ledger.find(with_epochs(entrant.spec, epochs)) is not None

    def model(self, entrant: Entrant, result: Result) -> TrialResult:
        """Return the model of a result; trained again to the same weights where it is not in memory."""
        place, passed = (entrant.key, result.epochs), itertools.count(1)
        if place not in self.models:
            self.report.log(f"{entrant.name}: training again, it was chosen before the search was stopped")
            control = Control(self.report, should_stop=lambda: next(passed) >= result.trained, judge=False)
            self.models[place] = self.session.train(with_epochs(entrant.spec, result.epochs), control)
        return self.models[place]

    def ranked(self) -> list[Result]:
        """Return all results, the best first; of equal ones, the first."""
        return sorted(self.results, key=self.rank, reverse=True)

    def rank(self, result: Result) -> tuple[float, float]:
        """Rank by the watched metric, then by the loss; what could not be trained is last."""
        metric = -math.inf if result.metric is None else self.sign * result.metric
        return metric, -math.inf if result.loss is None else -result.loss

    def _recorded(self, entrant: Entrant, epochs: int, stage: str) -> Result | None:
        found = self._ledger.find(with_epochs(entrant.spec, epochs))
        return self._add(self._result(entrant, epochs, stage, found)) if found else None

    def _train(self, entrant: Entrant, epochs: int, stage: str, seconds: float) -> Result:
        start, report = self.budget.clock(), self.report
        report.log(f"{entrant.name}, {epochs} epochs; {spell(max(0.0, self.budget.left))} left")
        past = list[float]()

        def should_stop() -> bool:
            """Stop where no time is left for another epoch as long as those so far."""
            past.append(self.budget.clock() - start)
            return past[-1] >= seconds or self.budget.left < past[-1] / len(past)

        stop = should_stop if math.isfinite(seconds) else lambda: False
        spec = with_epochs(entrant.spec, epochs)
        trial = self.session.train(spec, Control(report, should_stop=stop, judge=False))
        if trial.error is not None:
            report.log(f"! {entrant.name}: {trial.error.finding}")
        timed = replace(trial, seconds=self.budget.clock() - start)
        result = self._result(entrant, epochs, stage, timed)
        better = all(self.rank(result) > self.rank(other) for other in self.results)
        self._add(result)
        if trial.error is None:
            self.models[entrant.key, epochs] = trial
            if better and self._keep:
                self._keep(trial.model)
            self._forget()
        self._ledger.record(timed)
        return result

    def _result(self, entrant: Entrant, epochs: int, stage: str, trial: TrialResult) -> Result:
        key, name, choices = entrant.key, entrant.name, entrant.choices
        if trial.error is not None:
            return Result(key, name, stage, epochs, 0, None, None, trial.seconds, choices)
        history = trial.course
        return Result(
            key=key,
            name=name,
            stage=stage,
            epochs=epochs,
            trained=len(history.epochs),
            metric=finite(trial.validated(self.metric)),
            loss=finite(history.epochs[history.best - 1].validation_loss),
            seconds=trial.seconds,
            choices=choices,
        )

    def _add(self, result: Result) -> Result:
        if result not in self.results:
            self.results.append(result)
        return result

    def _forget(self) -> None:
        """Hold the best models only, and the best single modality among them by its rank."""
        ranked = [(found.key, found.epochs) for found in self.ranked()]
        held = [place for place in ranked if place in self.models][:KEPT]
        self.models = {key: model for key, model in self.models.items() if key in held}

    def _tell(self, result: Result) -> None:
        best = self.ranked()[0]
        self.report.log(
            f"{result.name}: {self._shown(result)} in {result.seconds:.0f} s; "
            f"best so far {self._shown(best)} by {best.name}"
        )

    def _shown(self, result: Result) -> str:
        if result.metric is not None:
            return f"{self.metric} {result.metric:.4f}"
        return "failed" if result.loss is None else f"loss {result.loss:.4f}, {self.metric} is not defined"
