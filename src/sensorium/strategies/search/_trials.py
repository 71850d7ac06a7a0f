"""Trainings of a search: each once, within its time, noted in the journal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sensorium.errors import TrainingError
from sensorium.evaluate import finite
from sensorium.experiment import Experiment, Trained, Variant
from sensorium.metrics import lower_is_better
from sensorium.model import FittedModel
from sensorium.strategies.search._budget import Budget, spell
from sensorium.strategies.search._journal import Journal
from sensorium.strategies.search._space import with_epochs

KEPT = 6  # models held in memory: those that may be chosen, or join an ensemble


@dataclass(frozen=True)
class Entrant:
    """What may be trained.

    Attributes:
        key: tells it in the journal: a modality's name or a candidate's number.
        name: for a person.
        variant: of the experiment.
        choices: of a candidate; empty for a single modality.
    """

    key: str
    name: str
    variant: Variant
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_single(self) -> bool:
        return self.variant.towers is not None


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
        experiment: the table, prepared.
        budget: the time.
        journal: where results are noted, and read from where they are known.
        keep: called with a model that is the best so far.
    """

    def __init__(
        self, experiment: Experiment, budget: Budget, journal: Journal, keep: Callable[[FittedModel], None] | None
    ) -> None:
        self.experiment, self.budget, self._journal, self._keep = experiment, budget, journal, keep
        self.metric = experiment.config.train.metric or experiment.task.watch
        self.sign = -1 if lower_is_better(self.metric) else 1
        self.results: list[Result] = []
        self.models: dict[tuple[str, int], Trained] = {}

    def run(self, entrant: Entrant, epochs: int, stage: str, seconds: float = math.inf) -> Result:
        """Train for so many epochs, at most about so many seconds; what the journal knows is not trained again."""
        known = self._journal.noted(_place(entrant.key, epochs))
        result = Result(**known) if known else self._train(entrant, epochs, stage, seconds)
        if result not in self.results:
            self.results.append(result)
        if not known:
            self._journal.note(_place(entrant.key, epochs), result.to_json())
            self._tell(result)
        return result

    def knows(self, key: str, epochs: int) -> bool:
        """Was it trained before a break?"""
        return self._journal.noted(_place(key, epochs)) is not None

    def model(self, entrant: Entrant, result: Result) -> Trained:
        """The model of a result; trained anew for as many epochs, to the same weights, where it is not in memory."""
        place, passed = (entrant.key, result.epochs), itertools.count(1)
        if place not in self.models:
            self.experiment.report.log(f"{entrant.name}: trained again, it was chosen before a break")
            self.models[place] = self.experiment.learn(
                with_epochs(entrant.variant, result.epochs), enough=lambda: next(passed) >= result.trained
            )
        return self.models[place]

    def ranked(self) -> list[Result]:
        """All results, the best first; of equal ones, the first."""
        return sorted(self.results, key=self.rank, reverse=True)

    def rank(self, result: Result) -> tuple[float, float]:
        """By the watched metric, then by the loss; what could not be trained is last."""
        metric = -math.inf if result.metric is None else self.sign * result.metric
        return metric, -math.inf if result.loss is None else -result.loss

    def _train(self, entrant: Entrant, epochs: int, stage: str, seconds: float) -> Result:
        start, report = self.budget.clock(), self.experiment.report
        report.log(f"{entrant.name}, {epochs} epochs; {spell(max(0.0, self.budget.left))} left")
        past = list[float]()

        def enough() -> bool:
            """Is there no time for another epoch as long as those so far?"""
            past.append(self.budget.clock() - start)
            return past[-1] >= seconds or self.budget.left < past[-1] / len(past)

        try:
            trained = self.experiment.learn(
                with_epochs(entrant.variant, epochs), enough=enough if math.isfinite(seconds) else lambda: False
            )
        except TrainingError as error:
            report.log(f"! {entrant.name}: {error.finding}")
            spent = self.budget.clock() - start
            return Result(entrant.key, entrant.name, stage, epochs, 0, None, None, spent, entrant.choices)
        return self._result(entrant, epochs, stage, trained, start)

    def _result(self, entrant: Entrant, epochs: int, stage: str, trained: Trained, start: float) -> Result:
        best = trained.history.epochs[trained.history.best - 1]
        value = trained.validated(self.metric)
        result = Result(
            key=entrant.key,
            name=entrant.name,
            stage=stage,
            epochs=epochs,
            trained=len(trained.history.epochs),
            metric=finite(value),
            loss=finite(best.validation_loss),
            seconds=self.budget.clock() - start,
            choices=entrant.choices,
        )
        self.models[entrant.key, epochs] = trained
        better = all(self.rank(result) > self.rank(other) for other in self.results)
        if better and self._keep:
            self._keep(trained.bundle)
        self._forget(result)
        return result

    def _forget(self, result: Result) -> None:
        """Hold the best models only, and the best single modality among them by its rank."""
        ranked = sorted([*self.results, result], key=self.rank, reverse=True)
        held = [(found.key, found.epochs) for found in ranked if (found.key, found.epochs) in self.models][:KEPT]
        self.models = {key: model for key, model in self.models.items() if key in held}

    def _tell(self, result: Result) -> None:
        best = self.ranked()[0]
        self.experiment.report.log(
            f"{result.name}: {self._shown(result)} in {result.seconds:.0f} s; "
            f"best so far {self._shown(best)} by {best.name}"
        )

    def _shown(self, result: Result) -> str:
        if result.metric is not None:
            return f"{self.metric} {result.metric:.4f}"
        return "failed" if result.loss is None else f"loss {result.loss:.4f}, {self.metric} is not defined"


def _place(key: str, epochs: int) -> str:
    return f"result {key} @ {epochs}"
