"""Train every candidate from every seed, then judge."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Any

from sensorium.artifact import (
    check_place,
    save_fitted,
    sweep_model,
    to_json,
    write_file,
)
from sensorium.baselines import choose_baselines
from sensorium.comparison._classical import Classical
from sensorium.comparison._judge import judge
from sensorium.comparison._kept import Kept
from sensorium.comparison._plan import Candidate, plan_candidates
from sensorium.comparison._result import Comparison, Kind, Result
from sensorium.comparison._trial import Trial, mean_cost, train_network
from sensorium.errors import ConfigError, SensoriumError, TrainingError
from sensorium.evaluate import evaluate_runs
from sensorium.experiment import Experiment
from sensorium.files import check_apart, check_outside_models
from sensorium.findings import Problems
from sensorium.metrics import Outcome, metrics_of, score

RECORD = "comparison.json"


@dataclass(frozen=True)
class Asked:
    """What is to be compared.

    Attributes:
        fusions: registered names, or `["all"]`; some of each kind by default.
        baselines: registered names, or `["none"]`; by default those that suit the task and are quick.
        seeds: each network is trained from each of them, on the one split.
    """

    fusions: Sequence[str] | None = None
    baselines: Sequence[str] | None = None
    seeds: Sequence[int] = (0,)


def check_folder(folder: Path, **inputs: Any) -> None:
    """Say before the work that a comparison in this folder would replace what it reads, or another file of that name.

    Args:
        folder: of the comparison.
        inputs: what each is (`table`, `config`) → its path.

    Raises:
        ConfigError: it would.
    """
    record = folder / RECORD
    check_outside_models(record)
    check_apart([record], **inputs)
    if record.is_file() and not _is_record(record):
        cure = "choose another folder, or move it away"
        raise ConfigError(f"{RECORD} was not written by a comparison", place=str(folder), cure=cure)


def _is_record(file: Path) -> bool:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and {"results", "verdict"} <= {*found}


def check_comparison(experiment: Experiment, asked: Asked) -> None:
    """Say before any cell is decoded what can't be compared.

    Raises:
        ConfigError: one modality only, no validation or test rows, a fusion whose options can't be, or a baseline that
            does not suit the task.
        MissingExtraError: a baseline was asked for, and scikit-learn is not installed.
    """
    names = choose_baselines(asked.baselines, experiment.task_name)
    for candidate in plan_candidates(experiment, asked.fusions, names).values():
        if candidate.kind != "baseline":
            experiment.check_variant(candidate.variant)


def compare_towers(experiment: Experiment, asked: Asked, out: Path | None) -> Comparison:
    """Train, score, choose on validation, judge on test.

    Args:
        experiment: the table, prepared.
        asked: models and seeds.
        out: folder for the table of results, and each network as the first seed made it; networks that a comparison of
            the same rows and settings finished there are taken, not trained again.

    Raises:
        ConfigError: one modality only, or no validation or test rows; a baseline that does not suit the task.
        TrainingError: no single modality or no fusion could be trained; one of several is left out instead.
        MissingExtraError: a baseline was asked for, and scikit-learn is not installed.
    """
    names = choose_baselines(asked.baselines, experiment.task_name)
    candidates = plan_candidates(experiment, asked.fusions, names)
    if out:
        for name, candidate in candidates.items():
            if candidate.kind != "baseline":
                check_place(out / name)
                sweep_model(out / name)
    sweep = _Sweep(experiment, asked, out, len(candidates))
    for candidate in candidates.values():
        sweep.run(candidate)
    comparison = sweep.judged()
    if out:
        write_file(out / RECORD, to_json(comparison.to_json()))
    return comparison


@dataclass
class _Sweep:
    experiment: Experiment
    asked: Asked
    out: Path | None
    models: int
    results: list[Result] = field(default_factory=list)
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.metric = self.experiment.config.train.metric or self.experiment.task.watch
        self._classical = Classical(self.experiment, asked=self.asked.baselines is not None)
        self._kept = Kept(self.experiment, self.out) if self.out else None
        self._taken = 0
        self._start = time.perf_counter()
        self._steps = self.models * len(self.asked.seeds)

    def run(self, candidate: Candidate) -> None:
        """Train it, or say why not."""
        trained = self._baseline(candidate) if candidate.kind == "baseline" else self._networks(candidate)
        if isinstance(trained, str):
            self.left_out[candidate.name] = trained
            self.experiment.report.log(f"? {candidate.name} is left out: {trained}")
        else:
            self._keep(candidate, trained)

    def _baseline(self, candidate: Candidate) -> list[Trial] | str:
        """Or why there is none: a library's fault ends one baseline, not the comparison."""
        registered = candidate.name.removesuffix(" (baseline)")
        try:
            if reason := self._classical.why_not(registered):
                return reason
            self._tell(candidate, 0)
            return [self._classical.train(registered, self.metric)]
        except SensoriumError:
            raise
        except Exception as error:  # noqa: BLE001 - of whatever kind a library raises
            return f"{type(error).__name__}: {error}"

    def _networks(self, candidate: Candidate) -> list[Trial] | str:
        """Of every seed; or why there are none."""
        try:
            return [self._network(candidate, place) for place in range(len(self.asked.seeds))]
        except TrainingError as error:
            return error.finding

    def _network(self, candidate: Candidate, place: int) -> Trial:
        seeded = replace(candidate, variant=replace(candidate.variant, seed=self.asked.seeds[place]))
        found = self._kept.find(seeded, saved=place == 0) if self._kept else None
        if found:
            self.experiment.report.log(f"{candidate.name}: finished before, taken from {self.out}")
            self._taken += 1
            return found
        self._tell(candidate, place)
        trial, bundle = train_network(self.experiment, seeded, self.metric)
        if self.out and place == 0:
            (self.out / RECORD).unlink(missing_ok=True)  # of an earlier comparison, of which this was another model
            save_fitted(bundle, self.out / candidate.name)
        if self._kept:
            self._kept.keep(seeded, trial, saved=place == 0)
        return trial

    def _tell(self, candidate: Candidate, place: int) -> None:
        """What comes, which of how many it is, and about how long all that is left will take."""
        seeds = len(self.asked.seeds)
        done = (len(self.results) + len(self.left_out)) * seeds + place
        seed = f", seed {self.asked.seeds[place]}" if seeds > 1 and candidate.kind != "baseline" else ""
        trained = done - self._taken
        left = (time.perf_counter() - self._start) / trained * (self._steps - done) if trained else 0.0
        about = f", about {_duration(left)} left" if trained else ""
        self.experiment.report.log(f"{candidate.name}: training{seed} ({done + 1} of {self._steps}{about})")

    def _keep(self, candidate: Candidate, trials: list[Trial]) -> None:
        rows = self.experiment.rows("test")
        runs = [self.experiment.task.outcome(trial.scores, self.experiment.target[rows]) for trial in trials]
        self.outcomes[candidate.name] = runs
        result = Result(
            name=candidate.name,
            kind=candidate.kind,
            modalities=candidate.modalities,
            fusion=candidate.fusion,
            evaluation=evaluate_runs(runs, metrics_of(self.experiment.task_name)),
            runs=[float(score(self.metric, outcome)[0]) for outcome in runs],
            validation=mean(trial.validation for trial in trials),
            cost=mean_cost(trials),
        )
        self.results.append(result)

    def judged(self) -> Comparison:
        self._check("single", "no single modality could be trained")
        self._check("fusion", "no fusion could be trained")
        results, judgement = judge(self.results, self.outcomes, self.metric, len(self.asked.seeds))
        told = Problems([*self.experiment.notices, *self.experiment.problems.of_cells()])
        return Comparison(
            **vars(judgement),
            results=results,
            seeds=list(self.asked.seeds),
            left_out=self.left_out,
            notices=[group.to_json() for group in told.groups()],
        )

    def _check(self, kind: Kind, finding: str) -> None:
        """Is there one of them?"""
        if not any(result.kind == kind for result in self.results):
            told = "; ".join(f"{name}: {reason}" for name, reason in self.left_out.items())
            raise TrainingError(finding, place=told, cure="a lower learning rate: --set train.learning_rate=0.0003")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
