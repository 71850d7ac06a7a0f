"""The way of a search: single modalities, rungs of candidates, the winners to the end, one choice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from sensorium.artifact import to_json, write_file
from sensorium.errors import ConfigError
from sensorium.evaluate import evaluate_outcome
from sensorium.experiment import Experiment, Trained, hash_columns
from sensorium.metrics import metrics_of
from sensorium.model import FittedModel
from sensorium.strategies.search._budget import Budget, spell
from sensorium.strategies.search._ensemble import choose_ensemble, join
from sensorium.strategies.search._journal import Journal
from sensorium.strategies.search._plan import LEAST, Plan, Rung, make_plan
from sensorium.strategies.search._space import Choices, open_space, variant_of, words
from sensorium.strategies.search._trials import Entrant, Result, Trials
from sensorium.train.job import epoch_count

JOURNAL, RECORD = "search.journal", "search.json"
CHOICE = "choice"  # in the journal, once nothing more is to be tried
EXPECTED = "expected"  # stage of what was not tried
FINALS = 4  # models that are trained to the end, at most
SHOWN = 8  # trials that the model's card tells
COLD = 5.0  # seconds of a first training that tell little
KEPT_BACK = 0.02  # of the budget, for files
MARGIN = 0.95  # of the time that is left: epochs are not all alike
WORTH = 0.7  # of the first winner's epochs: a further one that has time for fewer is not trained
SLOWER = 3.0  # times the seconds that a candidate was expected to take, after which a rung goes on without it


def search(
    experiment: Experiment,
    budget: Budget,
    *,
    folder: Path | None = None,
    keep: Callable[[FittedModel], None] | None = None,
    save: Callable[[Trained], None] | None = None,
) -> Trained:
    """Choose encoders, fusion and training within a time, and train what was chosen.

    Every single modality first, then successive halving over candidates, then the best of them to the end. The model
    that does best on the validation rows is taken, be it a single modality's; an ensemble only where it is surely
    better. Same plan and seed: same models; the plan depends on how fast the machine is.

    Args:
        experiment: the table, prepared.
        budget: the time; what is over is told.
        folder: for the journal, by which a killed search goes on, and the record.
        keep: called with each model that is the best so far.
        save: called with the chosen one, before the search counts as ended: a kill until then costs little.

    Raises:
        ConfigError: there are no validation rows to choose by.
        MissingExtraError: Optuna is not installed.
    """
    return _Search(experiment, budget, folder, keep).run(save or (lambda trained: None))


def check_rows(experiment: Experiment) -> None:
    """Raises ConfigError where there are no validation rows to choose by."""
    if not len(experiment.rows("validation")):
        raise ConfigError("there are no validation rows to choose by", place="budget", cure="split.validation=0.1")


class _Search:
    def __init__(
        self, experiment: Experiment, budget: Budget, folder: Path | None, keep: Callable[[FittedModel], None] | None
    ) -> None:
        check_rows(experiment)
        self.experiment, self.budget, self.folder, self.report = experiment, budget, folder, experiment.report
        self.space = open_space(experiment)
        self.firsts = [*self.space.firsts()]
        self.journal = Journal(self.space, _identity(experiment), experiment.config.seed, folder and folder / JOURNAL)
        if self.journal.replaced:
            self.report.log(
                "the folder holds an ended search, or one of other rows, files or settings: this one is new"
            )
        self.chosen = self.journal.noted(CHOICE) is not None  # before a break
        self.trials = Trials(experiment, budget, self.journal, keep)
        self.wanted = epoch_count(experiment.config.train, len(experiment.rows("train")))
        self.entrants: dict[str, Entrant] = {}

    def run(self, save: Callable[[Trained], None]) -> Trained:
        self._go_on()
        singles, per_epoch = self._look()
        plan = self._plan(self.budget.left / per_epoch)
        if plan:
            self._finals(self._rungs(plan, singles, per_epoch))
        else:
            self.report.log(
                f"! {spell(self.budget.seconds)} is too short: {spell(max(0.0, self.budget.left))} left for training "
                f"and {spell(per_epoch)} for each pass over the rows; a plain fit is made instead, "
                "as far as there is time, of one epoch at least"
            )
            self.trials.run(self._candidate(0), self.wanted, "final", self.budget.left)
        trained, record = self._choose(plan)
        save(trained)
        if self.folder:
            write_file(self.folder / RECORD, to_json(record))
        self.journal.end()
        return trained

    def _go_on(self) -> None:
        spent = self.journal.noted("spent") or 0.0
        if spent:
            self.budget.spent = spent
            self.report.log(f"the search goes on where it was, after {spell(spent)}")

    def _look(self) -> tuple[list[Result], float]:
        """One epoch of each single modality: baselines, and how long an epoch of all takes."""
        towers = [tower.name for tower in self.experiment.blueprint.towers]
        entrants = [self._candidate(0)] if len(towers) == 1 else [self._single(tower) for tower in towers]
        found = [self._run(entrant, 1, "single") for entrant in entrants]
        timed = [result.per_epoch for result in found]
        if timed[0] < COLD:  # much of it was spent on what is done once in a process
            timed[0] = min(timed[0], self._run(entrants[0], 2, "single").per_epoch)
        self._keep_back()
        return found if len(towers) > 1 else [], sum(timed)

    def _keep_back(self) -> None:
        """Time for what follows the last model: intervals, measured on the validation rows, and files."""
        start, models = self.budget.clock(), self.trials.models
        for model in [*models.values()][:1]:
            evaluate_outcome(model.outcomes["validation"], metrics_of(self.experiment.task_name))
        sizes = [len(self.experiment.rows(split)) for split in ("validation", "test")]
        self.budget.reserve = KEPT_BACK * self.budget.seconds
        self.budget.reserve += (self.budget.clock() - start) * (1 + 2 * sizes[1] / sizes[0])

    def _plan(self, affordable: float) -> Plan | None:
        """As it was noted before a break, so that the search goes on as it began."""
        known = self.journal.noted("plan")
        if known:
            return Plan.from_json(known)
        if affordable < LEAST:
            return None
        plan = make_plan(affordable, self.wanted)
        self.journal.note("plan", plan.to_json())
        told = ", then ".join(f"{rung.candidates} for {rung.epochs} epochs" for rung in plan.rungs) or "none to choose"
        self.report.log(f"candidates: {told}; the best for {plan.final} or more")
        return plan

    def _rungs(self, plan: Plan, singles: Sequence[Result], per_epoch: float) -> list[Result]:
        """Successive halving; the best single modality comes along at every rung, the least to be beaten."""
        best = max(singles, key=self.trials.rank).key if singles else None
        numbers = list(range(plan.rungs[0].candidates)) if plan.rungs else []
        results: list[Result] = []
        for rung in plan.rungs:
            results = self._rung(rung, numbers[: rung.candidates], plan, per_epoch)
            per_epoch = mean(result.per_epoch for result in results)
            if best:
                results.append(self._run(self.entrants[best], rung.epochs, "rung", SLOWER * rung.epochs * per_epoch))
            results.sort(key=self.trials.rank, reverse=True)
            numbers = [int(result.key) for result in results if result.key != best]
        return results or [self._expected(self._candidate(0), per_epoch)]

    def _rung(self, rung: Rung, numbers: Sequence[int], plan: Plan, per_epoch: float) -> list[Result]:
        """Train the candidates of one rung, as long as time is left to train one of them to the end."""
        results: list[Result] = []
        for number in numbers:
            if results and not self.trials.knows(str(number), rung.epochs):
                per_epoch = mean(result.per_epoch for result in results)
                if self.chosen or self.budget.left < (rung.epochs + plan.final) * per_epoch:
                    break
            results.append(self._try(number, rung, SLOWER * rung.epochs * per_epoch))
        return results

    def _try(self, number: int, rung: Rung, seconds: float) -> Result:
        first = self.firsts[number] if number < len(self.firsts) else None
        result = self._run(self._candidate(number, first), rung.epochs, "rung", seconds)
        self.journal.tell(number, None if result.metric is None else self.trials.sign * result.metric)
        return result

    def _finals(self, ranked: Sequence[Result]) -> None:
        """Train the best to the end, one after another while there is time.

        A candidate is the first, even behind a single modality, which learns in fewer epochs: it can still be chosen.
        """
        candidates = [result for result in ranked if not self.entrants[result.key].is_single]
        order = [*candidates[:1], *(result for result in ranked if result not in candidates[:1])]
        done = dict[str, int](self.journal.noted("finals") or {})  # before a break
        for key, epochs in done.items():
            self._run(self.entrants[key], epochs, "final")
        for result in [] if self.chosen else order[:FINALS]:
            epochs = self._affordable(result)
            if result.key not in done and epochs >= max([1, *(WORTH * first for first in [*done.values()][:1])]):
                self._run(self.entrants[result.key], epochs, "final", self.budget.left)
                done[result.key] = epochs
                self.journal.note("finals", done)

    def _affordable(self, result: Result) -> int:
        """Epochs that there is time to train an entrant for; 0 where it has had as many, or can't be trained."""
        epochs = min(self.wanted, int(MARGIN * self.budget.left / result.per_epoch))
        if result.stage == EXPECTED:
            return epochs
        return epochs if epochs > result.epochs and result.loss is not None else 0

    def _choose(self, plan: Plan | None) -> tuple[Trained, dict[str, Any]]:
        """The model and the record of the search."""
        ranked = self.trials.ranked()
        choice = self.journal.noted(CHOICE) or self._choice(ranked, plan)
        members = [next(r for r in ranked if [r.key, r.epochs] == place) for place in choice["members"]]
        models = [self._model(result) for result in members]
        chosen = join(self.experiment, models) if len(models) > 1 else models[0]
        trained = self.experiment.finish(chosen)
        record = self._record(plan, [result.name for result in members], choice["gain"])
        shown = [result.to_json() for result in ranked[:SHOWN]]
        trained.bundle.card["search"] = {**record, "trials": len(ranked), "best": shown}
        return trained, record

    def _choice(self, ranked: Sequence[Result], plan: Plan | None) -> dict[str, Any]:
        """Noted, so that after a break only what was chosen is trained again."""
        self._model(ranked[0])
        offered = self._offered(ranked)
        models = [model for _, model in offered]
        ensemble = choose_ensemble(self.experiment, models, self.trials.metric) if plan else None
        members = [offered[place][0] for place in ensemble.members] if ensemble else ranked[:1]
        places = [[result.key, result.epochs] for result in members]
        choice = {"members": places, "gain": ensemble and ensemble.gain.to_json()}
        self.journal.note(CHOICE, choice)
        return choice

    def _model(self, result: Result) -> Trained:
        return self.trials.model(self.entrants[result.key], result)

    def _offered(self, ranked: Sequence[Result]) -> list[tuple[Result, Trained]]:
        """The best model of each entrant that is in memory, the best first."""
        found: dict[str, tuple[Result, Trained]] = {}
        for result in ranked:
            if (result.key, result.epochs) in self.trials.models:
                found.setdefault(result.key, (result, self.trials.models[result.key, result.epochs]))
        return list(found.values())

    def _record(self, plan: Plan | None, names: list[str], gain: dict[str, Any] | None) -> dict[str, Any]:
        singles = [result for result in self.trials.results if self.entrants[result.key].is_single]
        return {
            "budget": self.budget.seconds,
            "seconds": round(self.budget.used, 3),
            "metric": self.trials.metric,
            "plan": plan and plan.to_json(),
            "trials": [result.to_json() for result in self.trials.results],
            "best_single": max(singles, key=self.trials.rank).to_json() if singles else None,
            "chosen": names,
            "ensemble": gain,
        }

    def _run(self, entrant: Entrant, epochs: int, stage: str, seconds: float = float("inf")) -> Result:
        result = self.trials.run(entrant, epochs, stage, seconds)
        self.journal.note("spent", self.budget.used)
        return result

    def _candidate(self, number: int, first: Choices | None = None) -> Entrant:
        key = str(number)
        if key not in self.entrants:
            choices = self.journal.ask(number, self.space.plain if number == 0 else first)
            variant = variant_of(self.experiment, choices)
            self.entrants[key] = Entrant(key, words(choices, self.space.plain), variant, choices)
        return self.entrants[key]

    def _single(self, tower: str) -> Entrant:
        key = f"modality {tower}"
        if key not in self.entrants:
            variant = variant_of(self.experiment, self.space.plain, [tower])
            self.entrants[key] = Entrant(key, f"{tower} alone", variant)
        return self.entrants[key]

    def _expected(self, entrant: Entrant, per_epoch: float) -> Result:
        """What is known of an entrant that was not tried: how long an epoch should take."""
        return Result(entrant.key, entrant.name, EXPECTED, 1, 1, None, None, per_epoch)


def _identity(experiment: Experiment) -> dict[str, Any]:
    """What makes two searches the same."""
    settings = json.dumps(experiment.config.model_dump(mode="json", exclude={"prepare"}), sort_keys=True)
    return {
        "table": experiment.fingerprint,
        "settings": hashlib.sha256(settings.encode()).hexdigest(),
        "columns": hash_columns(experiment, experiment.prepared.columns),
        "named": sorted(experiment.config.model_fields_set | experiment.config.train.model_fields_set),
    }
