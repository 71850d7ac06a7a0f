"""Train every candidate with every random seed, and judge them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import mean

from sensorium.artifact import save_fitted
from sensorium.comparison._blends import Blends, modalities_used
from sensorium.comparison._estimate import seconds_left
from sensorium.comparison._folder import RECORD
from sensorium.comparison._judge import judge
from sensorium.comparison._options import ComparisonOptions
from sensorium.comparison._plan import Candidate
from sensorium.comparison._result import Comparison, Result
from sensorium.comparison._shared import shared_validation
from sensorium.config import set_both
from sensorium.errors import TrainingError
from sensorium.evaluate import evaluate_runs
from sensorium.findings import Problems
from sensorium.metrics import default_metrics, score
from sensorium.planning import PreparedTable
from sensorium.registry.failures import MemberError, explain_member_errors
from sensorium.runtime.progress import Reporter, duration_text
from sensorium.trials import Control, Ledger, TrialResult, TrialSpec, choose_runner, mean_cost, why_left_out


@dataclass
class Stage:
    """Fold of a cross-validation that a sweep trains.

    Attributes:
        name: of the fold.
        later: number of folds that are trained after it.
        seconds: candidate → seconds of its trials in earlier folds.
    """

    name: str
    later: int
    seconds: Mapping[str, Sequence[float]]


@dataclass
class Sweep:
    """Trials of a comparison, or of one of its folds: each candidate with each seed, baselines once.

    The networks and the blend of the first seed are saved, but not those of folds, which learned from a part of the
    rows.
    """

    data: PreparedTable
    options: ComparisonOptions
    out: Path | None
    report: Reporter
    candidates: Mapping[str, Candidate]
    left_out: dict[str, str] = field(default_factory=dict)
    stage: Stage | None = None
    results: dict[str, list[TrialResult]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.data, self.out, self.report)

    def run(self) -> None:
        """Run the trials that are not finished, and keep the results in the order of the candidates."""
        try:
            with explain_member_errors():
                self._run()
        except MemberError as error:
            cure = "; ".join(filter(None, (error.cure, self._say_what_is_kept())))
            raise MemberError(error.finding, place=error.place, rule=error.rule, cure=cure) from error.__cause__

    def _say_what_is_kept(self) -> str:
        """Say whether the results of finished trials are kept."""
        done = sum(len(trials) for trials in self.results.values())
        if self.out is None:
            return "with out=FOLDER, finished trials are kept and not trained again" if done else ""
        return f"{done} finished trials are kept in {self.out} and are not trained again" if done else ""

    def _run(self) -> None:
        self._leave_out_baselines()
        known = {self._key(spec): result for spec in self._specs() if (result := self._find(spec))}
        runner = choose_runner(self.data, self.options.workers)
        todo = (spec for spec in self._specs() if not spec.blended and self._key(spec) not in known)
        fresh = runner.run(todo, Control(self.report, measure=True), self._log_progress)
        blends = Blends(self.data, self._ledger, runner, self.report)
        for spec in self._specs():
            result = known.get(self._key(spec))
            if result is None and spec.blended:
                deque(fresh, maxlen=0)  # the blends are last: let the worker processes end
                result = self._blended(blends, spec)
            elif result is None:  # workers may have run further seeds of a candidate that is left out by now
                result = self._trained(next(each for each in fresh if self._key(each.spec) == self._key(spec)))
            self._add(result)

    def _blended(self, blends: Blends, spec: TrialSpec) -> TrialResult:
        """Train and record a blend."""
        self._log_progress(spec)
        result = self._trained(blends.run(spec))
        if result.error is None:
            blends.forget(spec)
        return result

    def _specs(self) -> Iterator[TrialSpec]:
        """Yield the trials, except those of candidates that were left out meanwhile."""
        for candidate in self.candidates.values():
            seeds: Sequence[int | None] = [None] if candidate.kind == "baseline" else self.options.seeds
            for seed in seeds:
                if candidate.name not in self.left_out:
                    yield replace(candidate.spec, seed=seed)

    def _key(self, spec: TrialSpec) -> tuple[str, int | None]:
        return spec.name, spec.seed

    def _is_saved(self, spec: TrialSpec) -> bool:
        """Return whether the model of a trial is saved, which is the network or the blend of the first seed."""
        first = spec.baseline is None and spec.seed == self.options.seeds[0]
        return first and self.out is not None and self.stage is None

    def _leave_out_baselines(self) -> None:
        """Leave out default baselines that would take long."""
        if self.options.baselines is not None:
            return
        for candidate in self.candidates.values():
            if candidate.spec.baseline:
                try:
                    reason = why_left_out(self.data, candidate.spec.baseline)
                except Exception as error:  # noqa: BLE001 - of whatever kind a library raises
                    reason = f"{type(error).__name__}: {error}"
                if reason:
                    self._leave_out(candidate.name, reason)

    def _leave_out(self, name: str, reason: str) -> None:
        reason = f"{self.stage.name}: {reason}" if self.stage else reason
        self.left_out[name] = reason
        self.results.pop(name, None)
        self.report.log(f"? {name} is left out: {reason}")

    def _find(self, spec: TrialSpec) -> TrialResult | None:
        result = None if spec.baseline else self._ledger.find(spec, with_model=self._is_saved(spec))
        if result:
            fold = f"{self.stage.name}: " if self.stage else ""
            self.report.log(f"{fold}{spec.name}: already finished, loaded from {self.out}")
        return result

    def _log_progress(self, spec: TrialSpec) -> None:
        """Log the next trial, the progress, and the estimated time left."""
        specs = list(self._specs())
        done = sum(len(trials) for trials in self.results.values())
        seed = f", seed {spec.seed}" if len(self.options.seeds) > 1 and spec.seed is not None else ""
        left, fold = self._seconds_left(specs), f"{self.stage.name}: " if self.stage else ""
        about = f", about {duration_text(left)} left" if left else ""
        self.report.step(f"{fold}{spec.name}: training{seed} ({done + 1} of {len(specs)}{about})")

    def _seconds_left(self, specs: Sequence[TrialSpec]) -> float:
        """Return the estimated seconds until all trials are finished; 0 if they cannot be estimated yet."""
        finished = {(name, trial.spec.seed) for name, trials in self.results.items() for trial in trials}
        seconds = {name: [trial.seconds for trial in trials] for name, trials in self.results.items()}
        todo = [spec.name for spec in specs if self._key(spec) not in finished]
        if self.stage:
            seconds = {name: [*self.stage.seconds.get(name, []), *seconds.get(name, [])] for name in self.candidates}
            todo += [spec.name for spec in specs] * self.stage.later
        measured = {name: mean(own) for name, own in seconds.items() if own}
        return seconds_left(todo, self.candidates, measured) / min(self.options.workers, max(1, len(todo)))

    def _trained(self, result: TrialResult) -> TrialResult:
        """Save the model of a finished trial, and record it."""
        if result.error is not None or result.fitted is None:
            return result
        path = None
        if self.out and self._is_saved(result.spec):
            (self.out / RECORD).unlink(missing_ok=True)  # of an earlier comparison, of which this was another model
            path = self.out / result.spec.name
            save_fitted(result.fitted, path)
        self._ledger.record(result, path)
        return replace(result, fitted=None)

    def _add(self, result: TrialResult) -> None:
        if result.error is not None:
            self._leave_out(result.spec.name, result.error.finding)
        elif result.spec.name not in self.left_out:
            self.results.setdefault(result.spec.name, []).append(result)

    def judged(self) -> Comparison:
        """Return the comparison.

        Raises:
            TrainingError: the training of all single modalities or of all fusions failed.
        """
        results = [self._result(candidate) for candidate in self.candidates.values() if candidate.name in self.results]
        check_results(results, self.left_out)
        test = {name: [trial.outcomes["test"] for trial in trials] for name, trials in self.results.items()}
        results, judgement = judge(results, test, self.data.plan.metric, len(self.options.seeds))
        notices = Problems([*self.data.plan.notices, *self.data.problems.of_cells()])
        return Comparison(
            **vars(judgement),
            results=results,
            seeds=list(self.options.seeds),
            left_out=self.left_out,
            notices=[group.to_json() for group in notices.groups()],
        )

    def _result(self, candidate: Candidate) -> Result:
        trials, metric = self.results[candidate.name], self.data.plan.metric
        test = [trial.outcomes["test"] for trial in trials]
        return Result(
            name=candidate.name,
            kind=candidate.kind,
            modalities=modalities_used(candidate, trials),
            fusion=candidate.fusion,
            evaluation=evaluate_runs(test, default_metrics(self.data.plan.labels.task_name, self.data.plan.metric)),
            runs=[float(score(metric, outcome)[0]) for outcome in test],
            validation=mean(trial.validated(metric) for trial in trials),
            cost=mean_cost([trial.cost for trial in trials if trial.cost]),
            shared_validation=self.shared.get(candidate.name),
            blend=trials[0].blend,
        )

    @cached_property
    def shared(self) -> Mapping[str, float]:
        """Name → watched metric on the validation rows that judge the blend; empty without a blend."""
        return shared_validation(self.data, self.results, self.data.plan.metric)


def check_results(results: Sequence[Result], left_out: Mapping[str, str]) -> None:
    """Check that there is a single modality and a fusion among the results.

    Raises:
        TrainingError: there is none.
    """
    findings = {"single": "no single modality could be trained", "fusion": "no fusion could be trained"}
    for kind, finding in findings.items():
        if not any(result.kind == kind for result in results):
            reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
            cure = f"use a lower learning rate: {set_both('train.learning_rate', 0.0003)}"
            raise TrainingError(finding, place=reasons, cure=cure)
