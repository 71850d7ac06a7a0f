"""Run a search: train single modalities, rungs of candidates and the best to the end, and choose one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from sensorium.evaluate import compare_outcomes, evaluate_outcome
from sensorium.files.figures import finite
from sensorium.findings import count
from sensorium.metrics import default_metrics, direction
from sensorium.model.card import SearchRecord
from sensorium.runtime.progress import duration_text
from sensorium.strategies._base import Session
from sensorium.strategies._budget import Budget
from sensorium.strategies._search._coverage import coverage
from sensorium.strategies._search._ensemble import choose_ensemble, join
from sensorium.strategies._search._journal import Journal
from sensorium.strategies._search._schedule import LEAST, Rung, Schedule, make_schedule
from sensorium.strategies._search._space import open_space, spec_of, words
from sensorium.strategies._search._trials import Entrant, TrainingResult, Trials
from sensorium.train import epoch_count
from sensorium.trials import TrialResult, calibrate_ensemble, fingerprint, finish

JOURNAL, RECORD = "search.journal", "search.json"
CHOICE = "choice"  # in the journal, once nothing more is to be tried
EXPECTED = "expected"  # stage of what was not tried
FINALS = 4  # models that are trained to the end, at most
SHOWN = 8  # trials that the model's card tells
COLD = 5.0  # seconds of a first training that tell little
KEPT_BACK = 0.02  # of the budget, for files
MARGIN = 0.95  # of the time that is left: epochs are not all alike
WORTH = 0.7  # of the first winner's epochs: a further one that has time for fewer is not trained
SLOWER = 3.0  # a candidate is stopped after this many times its expected duration


class SearchRun:
    """Search on a prepared table.

    Args:
        session: the state of the fit.
        budget: the time budget.
    """

    def __init__(self, session: Session, budget: Budget) -> None:
        self.session, self.data, self.budget, self.report = session, session.data, budget, session.report
        plan = session.data.plan
        self.space = open_space(plan)
        self.firsts = [*self.space.firsts()]
        path = session.folder and session.folder / JOURNAL
        identity = {"trials": fingerprint(self.data), "seed": plan.config.seed}
        self.journal = Journal(self.space, identity, plan.config.seed, path)
        if self.journal.replaced:
            self.report.log("the folder holds a search with other rows, files or settings: a new search starts")
        self.chosen = self.journal.noted(CHOICE) is not None  # before the search was stopped
        self.trials = Trials(session, budget)
        self.wanted = epoch_count(plan.config.train, len(self.data.rows("train")))
        self.entrants: dict[str, Entrant] = {}
        self.schedule: Schedule | None = None
        self.record: dict[str, Any] = {}
        self._resume()

    def run(self) -> TrialResult:
        """Run the search, and return the chosen trial with all its outcomes."""
        self.search()
        return self._choose()

    def search(self) -> None:
        """Train single modalities and candidates while there is time; at least one candidate."""
        singles, per_epoch = self._look()
        self.schedule = self._schedule(self.budget.left / per_epoch)
        if self.schedule:
            self._finals(self._rungs(self.schedule, singles, per_epoch))
        else:
            self.report.log(
                f"! the budget of {duration_text(self.budget.seconds)} is too short for a search: training has "
                f"{duration_text(max(0.0, self.budget.left))} left, and an epoch takes {duration_text(per_epoch)}; "
                "a plain fit runs instead, for at least one epoch"
            )
            self.trials.run(self._candidate(0), self.wanted, "final", self.budget.left)

    def networks(self, most: int) -> tuple[list[TrialResult], SearchRecord]:
        """Return the best networks of different candidates with the time of their trainings, and the record.

        The first is the best candidate or single modality; further ones are trained to the end. A resumed search
        returns the same networks.

        Args:
            most: number of networks, at most.
        """
        ranked = self.trials.ranked()
        choice = self.journal.noted(CHOICE) or self._choose_networks(ranked, most)
        members = self._members(ranked, choice)
        found = [self.trials.saved(self.entrants[result.key], result) for result in members]
        value = found[0].validated(self.trials.metric) if found else math.nan
        return found, self._recorded([result.name for result in members], None, value)

    def _choose_networks(self, ranked: Sequence[TrainingResult], most: int) -> dict[str, Any]:
        """Choose the best networks and record the choice, so that a resumed search trains no other one."""
        best: dict[str, TrainingResult] = {}
        for result in ranked:
            if result.best and (result.stage == "final" or not best):
                best.setdefault(result.name, result)
        choice = {"members": [[result.key, result.epochs] for result in [*best.values()][:most]], "gain": None}
        self.journal.note(CHOICE, choice)
        return choice

    def _resume(self) -> None:
        spent = self.journal.noted("spent") or 0.0
        if spent:
            self.budget.spent = spent
            self.report.log(f"the search resumes after {duration_text(spent)}")

    def _look(self) -> tuple[list[TrainingResult], float]:
        """Train each single modality for one epoch, as a baseline and to estimate the time of a full epoch."""
        towers = [tower.name for tower in self.data.plan.blueprint.towers]
        entrants = [self._candidate(0)] if len(towers) == 1 else [self._single(tower) for tower in towers]
        singles = [self._run(entrant, 1, "single") for entrant in entrants]
        timed = [result.per_epoch for result in singles]
        if timed[0] < COLD:  # much of it was spent on what is done once in a process
            timed[0] = min(timed[0], self._run(entrants[0], 2, "single").per_epoch)
        self._keep_back()
        return singles if len(towers) > 1 else [], sum(timed)

    def _keep_back(self) -> None:
        """Reserve time for intervals, estimated on the validation rows, and for saving."""
        start, models = self.budget.clock(), self.trials.models
        for model in [*models.values()][:1]:
            evaluate_outcome(
                model.outcomes["validation"], default_metrics(self.data.plan.labels.task_name, self.data.plan.metric)
            )
        sizes = [len(self.data.rows(split)) for split in ("validation", "test")]
        self.budget.reserve = KEPT_BACK * self.budget.seconds
        self.budget.reserve += (self.budget.clock() - start) * (1 + 2 * sizes[1] / sizes[0])

    def _schedule(self, affordable: float) -> Schedule | None:
        """Make the schedule, or load the schedule of an interrupted search."""
        known = self.journal.noted("plan")
        if known:
            return Schedule.from_json(known)
        if affordable < LEAST:
            return None
        schedule = make_schedule(affordable, self.wanted)
        self.journal.note("plan", schedule.to_json())
        self.report.log(_plan_text(schedule))
        return schedule

    def _rungs(self, schedule: Schedule, singles: Sequence[TrainingResult], per_epoch: float) -> list[TrainingResult]:
        """Run successive halving; the best single modality takes part in every rung as a baseline."""
        best = max(singles, key=self.trials.rank).key if singles else None
        numbers = list(range(schedule.rungs[0].candidates)) if schedule.rungs else []
        results: list[TrainingResult] = []
        for rung in schedule.rungs:
            results = self._rung(rung, numbers[: rung.candidates], schedule, per_epoch)
            per_epoch = mean(result.per_epoch for result in results)
            if best:
                results.append(self._run(self.entrants[best], rung.epochs, "rung", SLOWER * rung.epochs * per_epoch))
            results.sort(key=self.trials.rank, reverse=True)
            numbers = [int(result.key) for result in results if result.key != best]
        return results or [self._expected(self._candidate(0), per_epoch)]

    def _rung(self, rung: Rung, numbers: Sequence[int], schedule: Schedule, per_epoch: float) -> list[TrainingResult]:
        """Train the candidates of one rung while there is time to train one of them to the end."""
        results: list[TrainingResult] = []
        for number in numbers:
            if results and not self._is_known(number, rung.epochs):
                per_epoch = mean(result.per_epoch for result in results)
                if self.chosen or self.budget.left < (rung.epochs + schedule.final) * per_epoch:
                    break
            results.append(self._try(number, rung, SLOWER * rung.epochs * per_epoch))
        return results

    def _try(self, number: int, rung: Rung, seconds: float) -> TrainingResult:
        result = self._run(self._candidate(number), rung.epochs, "rung", seconds)
        self.journal.tell(number, None if result.metric is None else direction(self.trials.metric) * result.metric)
        return result

    def _finals(self, ranked: Sequence[TrainingResult]) -> None:
        """Train the best candidates to the end, one after another, while there is time.

        A fused candidate comes first even if a single modality ranks higher, because it needs more epochs to learn.
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

    def _affordable(self, result: TrainingResult) -> int:
        """Return the epochs that fit into the time; 0 if the entrant was trained for as many, or cannot be trained."""
        epochs = min(self.wanted, int(MARGIN * self.budget.left / result.per_epoch))
        if result.stage == EXPECTED:
            return epochs
        return epochs if epochs > result.epochs and result.loss is not None else 0

    def _choose(self) -> TrialResult:
        """Choose the model, and record the search on its card."""
        ranked = self.trials.ranked()
        choice = self.journal.noted(CHOICE) or self._choice(ranked)
        members = self._members(ranked, choice)
        result = finish(self.data, self._joined([self._model(result) for result in members]))
        value = result.validated(self.trials.metric)
        search = self._recorded([member.name for member in members], choice["gain"], value)
        result.model.card = result.model.card.updated(search=search)
        return result

    def _members(self, ranked: Sequence[TrainingResult], choice: Mapping[str, Any]) -> list[TrainingResult]:
        return [next(r for r in ranked if [r.key, r.epochs] == place) for place in choice["members"]]

    def _recorded(self, names: list[str], gain: dict[str, Any] | None, value: float) -> SearchRecord:
        """Record the search, and return what the model card has of it."""
        self.record = self._record(names, gain) | {"validation": finite(value)}
        best = sorted(self.trials.by_candidate(), key=lambda trial: self.trials.rank(trial.best), reverse=True)
        shown = {"trials": len(best), "best": [trial.to_json() for trial in best[:SHOWN]]}
        return SearchRecord.model_validate({**self.record, **shown})

    def _choice(self, ranked: Sequence[TrainingResult]) -> dict[str, Any]:
        """Choose the models and record the choice, so that a resumed search trains only the chosen models again."""
        self._model(ranked[0])
        offered = self._offered(ranked)
        models = [model for _, model in offered]
        ensemble = choose_ensemble(self.data.plan, models, self.trials.metric) if self.schedule else []
        members, gain = ranked[:1], None
        if ensemble:
            joined = self._joined([models[place] for place in ensemble])
            outcomes = [each.outcomes["validation"] for each in (joined, models[0])]
            gain = compare_outcomes(outcomes[0], outcomes[1], self.trials.metric)
            members = [offered[place][0] for place in ensemble] if gain.helps else members
        places = [[result.key, result.epochs] for result in members]
        choice = {"members": places, "gain": gain.to_json() if gain and gain.helps else None}
        self.journal.note(CHOICE, choice)
        return choice

    def _joined(self, models: Sequence[TrialResult]) -> TrialResult:
        """Return the only model, or the ensemble of several models, which is calibrated as a whole."""
        return calibrate_ensemble(self.data, join(self.data.plan, models)) if len(models) > 1 else models[0]

    def _model(self, result: TrainingResult) -> TrialResult:
        return self.trials.model(self.entrants[result.key], result)

    def _offered(self, ranked: Sequence[TrainingResult]) -> list[tuple[TrainingResult, TrialResult]]:
        """Return the best model of each entrant in memory, best first."""
        offered: dict[str, tuple[TrainingResult, TrialResult]] = {}
        for result in ranked:
            if (result.key, result.epochs) in self.trials.models:
                offered.setdefault(result.key, (result, self.trials.models[result.key, result.epochs]))
        return list(offered.values())

    def _record(self, names: list[str], gain: dict[str, Any] | None) -> dict[str, Any]:
        schedule, share = self.schedule, min(1.0, self.budget.end / self.budget.seconds)
        trials = self.trials.by_candidate()
        singles = [trial for trial in trials if self.entrants[trial.best.key].is_single]
        return {
            "budget": self.budget.seconds,
            "seconds": round(self.budget.used, 3),
            "metric": self.trials.metric,
            "plan": schedule and schedule.to_json(),
            "trials": [trial.to_json() for trial in trials],
            "trainings": len(self.trials.results),
            "best_single": max(singles, key=lambda trial: self.trials.rank(trial.best)).to_json() if singles else None,
            "chosen": names,
            "ensemble": gain,
            "coverage": coverage(self.trials.results, self.firsts, schedule, self.wanted, share=share).to_json(),
        }

    def _run(self, entrant: Entrant, epochs: int, stage: str, seconds: float = float("inf")) -> TrainingResult:
        result = self.trials.run(entrant, epochs, stage, seconds)
        self.journal.note("spent", self.budget.used)
        return result

    def _candidate(self, number: int) -> Entrant:
        key = str(number)
        if key not in self.entrants:
            first = self.firsts[number] if number < len(self.firsts) else None
            choices = self.journal.ask(number, first)
            name = words(choices, self.space.plain)
            spec = spec_of(self.data.plan, name, choices)
            self.entrants[key] = Entrant(key, name, spec, choices)
        return self.entrants[key]

    def _single(self, tower: str) -> Entrant:
        key = f"modality {tower}"
        if key not in self.entrants:
            spec = spec_of(self.data.plan, f"{tower} alone", self.space.plain, [tower])
            self.entrants[key] = Entrant(key, spec.name, spec)
        return self.entrants[key]

    def _expected(self, entrant: Entrant, per_epoch: float) -> TrainingResult:
        """Return a result for an entrant that was not trained, with the expected time of an epoch."""
        return TrainingResult(entrant.key, entrant.name, EXPECTED, 1, 1, None, None, per_epoch)

    def _is_known(self, number: int, epochs: int) -> bool:
        """Return whether a candidate was trained for these epochs, without sampling a new candidate."""
        return self.journal.was_asked(number) and self.trials.knows(self._candidate(number), epochs)


def _plan_text(schedule: Schedule) -> str:
    """Describe the schedule of a search before it starts."""
    final = count(schedule.final, "epoch")
    if not schedule.rungs:
        return f"search: the time suffices for the plain fit only, for at least {final}"
    rungs = [f"{count(rung.candidates, 'candidate')} for {count(rung.epochs, 'epoch')}" for rung in schedule.rungs]
    return f"search: {', then '.join(rungs)}, then the best for at least {final}, while there is time"
