"""Compare models over the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Self

from sensorium.artifact import to_json, write_file
from sensorium.comparison._blends import leave_out_blend
from sensorium.comparison._folder import RECORD
from sensorium.comparison._judge import judge
from sensorium.comparison._options import ComparisonOptions, candidates_of
from sensorium.comparison._plan import Candidate
from sensorium.comparison._result import Comparison, Result
from sensorium.comparison._sweep import Stage, Sweep, check_results
from sensorium.evaluate import CrossValidation, mean_of_folds, mean_scores
from sensorium.findings import Problem, Problems
from sensorium.metrics import default_metrics
from sensorium.planning import Plan, PlannedFolds, log_notices, name_fold, prepare_table
from sensorium.runtime.progress import Reporter
from sensorium.trials import Cost, TrialResult, forget_matrix, mean_cost


@dataclass(frozen=True)
class FoldScores:
    """Scores of one model in one fold, means over its seeds.

    Attributes:
        metrics: test metrics.
        validation: watched validation metric.
        seconds: training time of each seed.
        cost: cost of training and prediction.
        shared: watched metric on the validation rows that judge the blend; None without a blend.
    """

    metrics: dict[str, float]
    validation: float
    seconds: list[float]
    cost: Cost
    shared: float | None = None

    @classmethod
    def of(cls, trials: Sequence[TrialResult], names: Sequence[str], metric: str, shared: float | None) -> Self:
        """Score the trials of a model."""
        return cls(
            mean_scores([trial.outcomes["test"] for trial in trials], names),
            mean(trial.validated(metric) for trial in trials),
            [trial.seconds for trial in trials],
            mean_cost([trial.cost for trial in trials if trial.cost]),
            shared,
        )


def compare_over_folds(
    planned: PlannedFolds, options: ComparisonOptions, out: Path | None, report: Reporter
) -> Comparison:
    """Train every model in every fold, and compare the models over all folds.

    Models are selected on the validation rows of all folds. Intervals and p-values are those of the corrected resampled
    t-test (Nadeau and Bengio 2003). A model whose training fails in one fold is left out.

    Args:
        planned: plans of the folds.
        options: models, seeds and workers.
        out: folder for the table of results. Trials that an earlier call with the same rows and settings recorded there
            are not run again. No model is saved: each learned from a part of the rows.
        report: logs progress.

    Raises:
        ConfigError, TrainingError, MissingExtraError: as for `compare_towers`.
    """
    planned = replace(planned, findings=Problems([*planned.findings, *_unused_settings(planned.plans[0])]))
    log_notices(planned, report)
    candidates = candidates_of(planned.plans[0], options)
    runs = _Runs(planned, options, candidates, left_out=leave_out_blend(planned.plans, candidates, report))
    for number in range(len(planned.plans)):
        runs.run_fold(number, out, report)
    with report.phase("comparing the models over the folds"):
        comparison = runs.judged()
    if out:
        write_file(out / RECORD, to_json(comparison.to_json()))
    return comparison


def _unused_settings(plan: Plan) -> list[Problem]:
    """Report a fraction of test rows that was set: folds replace it."""
    if "test" not in plan.config.split.model_fields_set:
        return []
    reason = "split.test is not used: the number of folds determines how many rows are tested"
    return [Problem(None, "", reason, "remove the setting, or compare without folds")]


@dataclass
class _Runs:
    """Scores of every model in the folds that are finished."""

    planned: PlannedFolds
    options: ComparisonOptions
    candidates: Mapping[str, Candidate]
    scores: dict[str, list[FoldScores]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)

    def run_fold(self, number: int, out: Path | None, report: Reporter) -> None:
        """Decode the rows of a fold, and train and score the models that are not left out."""
        plan, name = self.planned.plans[number], name_fold(number, self.planned.folds)
        report.log(f"{name}: " + ", ".join(f"{rows:,} {split}" for split, rows in plan.split.sizes().items()))
        data = prepare_table(plan, report)
        seconds = {model: [time for fold in folds for time in fold.seconds] for model, folds in self.scores.items()}
        stage = Stage(name, len(self.planned.plans) - number - 1, seconds)
        sweep = Sweep(data, self.options, out, report, self.candidates, self.left_out, stage)
        try:
            sweep.run()
        finally:
            forget_matrix()
        names = default_metrics(plan.labels.task_name, plan.metric)
        for model, trials in sweep.results.items():
            self.scores.setdefault(model, []).append(FoldScores.of(trials, names, plan.metric, sweep.shared.get(model)))
        for model in self.left_out:
            self.scores.pop(model, None)
        self.problems |= dict.fromkeys(data.problems.of_cells())

    def judged(self) -> Comparison:
        """Return the comparison.

        Raises:
            TrainingError: the training of all single modalities or of all fusions failed.
        """
        first, folds = self.planned.plans[0], CrossValidation.of(self.planned)
        results = list(self._results(folds))
        check_results(results, self.left_out)
        results, judgement = judge(results, {}, first.metric, len(self.options.seeds), folds=folds)
        notices = Problems([*self.planned.notices, *self.problems])
        return Comparison(
            **vars(judgement),
            results=results,
            seeds=list(self.options.seeds),
            left_out=self.left_out,
            notices=[group.to_json() for group in notices.groups()],
            cross_validation=folds,
        )

    def _results(self, folds: CrossValidation) -> Iterator[Result]:
        metric = self.planned.plans[0].metric
        for candidate in self.candidates.values():
            if scores := self.scores.get(candidate.name):
                every = [score.metrics for score in scores]
                yield Result(
                    name=candidate.name,
                    kind=candidate.kind,
                    modalities=candidate.modalities,
                    fusion=candidate.fusion,
                    evaluation=folds.evaluate(every),
                    runs=[metrics[metric] for metrics in every],
                    validation=mean_of_folds([score.validation for score in scores]),
                    cost=mean_cost([score.cost for score in scores]),
                    folds=every,
                    shared_validation=_shared(scores),
                )


def _shared(scores: Sequence[FoldScores]) -> float | None:
    """Return the mean metric on the validation rows that judge the blend; None without a blend in every fold."""
    values = [score.shared for score in scores if score.shared is not None]
    return mean_of_folds(values) if len(values) == len(scores) else None
