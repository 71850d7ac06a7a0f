"""Modality imbalance: train plainly, and where a modality is left behind try the remedies; keep what is best."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sensorium.errors import ConfigError, TrainingError
from sensorium.evaluate import Difference, Evaluation, compare_outcomes, evaluate_outcome, finite, holm
from sensorium.experiment import Experiment, Trained, Variant
from sensorium.metrics import Outcome, lower_is_better, metrics_of, score
from sensorium.model import FittedModel
from sensorium.techniques import GAP, Diagnosis, remedies_of, skill
from sensorium.train import Checkpoint

PLAIN, DOCTOR, BY_ITSELF = "plain", "doctor", "by_itself"
LEAST_DROPOUT = 0.3  # of modalities, with towers that are done: else the fusion leans on what was learnt by heart


@dataclass(frozen=True)
class ByItself:
    """One modality on the validation rows.

    Attributes:
        fused: watched metric of the plain fused model that is given it alone.
        alone: of a model of it alone, trained for that.
        difference: the latter less the former, on the same rows.
        trained: that model.
    """

    fused: float
    alone: float
    difference: Difference
    trained: Trained

    def to_json(self) -> dict[str, Any]:
        return {
            "in_fused": finite(self.fused),
            "trained_alone": finite(self.alone),
            "difference": self.difference.to_json(),
        }


@dataclass(frozen=True)
class Tried:
    """One training of the fused model.

    Attributes:
        name: `plain`, the remedy's technique, or `by_itself`: each encoder trained by itself, then the fusion of them.
        validation: watched metric on the validation rows, by which one is chosen.
        evaluation: on the rows that judge: test, or validation where there are none.
        difference: less plain, on the same rows; None of plain itself.
        p: of the difference, corrected for the number of remedies (Holm 1979).
        seconds: of training.
    """

    name: str
    validation: float
    evaluation: Evaluation
    difference: Difference | None
    p: float | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        found = self.evaluation.to_json()
        p = None if self.p is None else finite(self.p)
        return {
            "name": self.name,
            "validation": finite(self.validation),
            "metrics": found["metrics"],
            "intervals": found["intervals"],
            "difference": self.difference and {**self.difference.to_json(), "p_corrected": p},
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Treatment:
    """What was found and done.

    Attributes:
        metric: the watched one.
        diagnosis: of plain training.
        by_itself: modality → how it does in the fused model and without it.
        results: plain training first.
        chosen: name of the one that is kept.
        verdict: in a sentence or two.
        trained: the model that is kept.
    """

    metric: str
    diagnosis: Diagnosis
    by_itself: dict[str, ByItself]
    results: list[Tried]
    chosen: str
    verdict: str
    trained: Trained

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "diagnosis": self.diagnosis.to_json(),
            "by_itself": {name: found.to_json() for name, found in self.by_itself.items()},
            "results": [result.to_json() for result in self.results],
            "chosen": self.chosen,
            "verdict": self.verdict,
        }


def treat(
    experiment: Experiment,
    *,
    variant: Variant = Variant(),
    keep: Callable[[FittedModel], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Treatment:
    """Train plainly; if a modality is undertrained, train with each remedy as well and keep what validates best.

    A modality is undertrained where a model of it alone, trained for that, does better on the validation rows than the
    fused model that is given it alone: by `GAP` of the way from chance to perfect, and with a paired 95% interval that
    leaves out 0. All of these models together take about as long as the fused one. What can't be trained (its loss is
    not finite) is passed over and told.

    Remedies are the techniques that say so, and `by_itself`, which takes the encoders of those models as they are and
    trains only what comes after them, with modality dropout (Du et al. 2023, "On Uni-Modal Feature Learning in
    Supervised Multi-Modal Learning", arXiv:2305.01233, find that features learnt by themselves are hard to beat).

    Args:
        experiment: the table, prepared; two modalities or more.
        variant: fusion, towers and seed.
        keep: called with the best model so far of plain training, after each epoch that is better.
        checkpoint: where the state of plain training is kept, and taken up from.

    Raises:
        ConfigError: one modality only, or no validation rows.
        TrainingError: plain training can't go on.
    """
    check_balance(experiment, variant)
    on = experiment.config.train.techniques
    remedies = [name for name in remedies_of(experiment.task_name) if name not in on]
    metric = experiment.config.train.metric or experiment.task.watch
    plain = _with(experiment, DOCTOR).train(variant, keep, checkpoint)
    report = plain.history.techniques[DOCTOR]
    diagnosis = replace(Diagnosis(**report["diagnosis"]), remedies=remedies)
    found = {name: _by_itself(experiment, plain, variant, name, metric) for name in report["modalities"]}
    by_itself = {name: own for name, own in found.items() if own}
    diagnosis = _settle(diagnosis, by_itself, _chance(experiment, plain, metric), metric)
    diagnosis = _unsettled(diagnosis, [name for name, own in found.items() if not own])
    runs = {PLAIN: plain}
    if diagnosis.state == "undertrained" or experiment.config.train.balance == "always":
        ways = {name: _with(experiment, DOCTOR, name) for name in remedies}
        ways |= {BY_ITSELF: _from_towers(experiment, by_itself)} if by_itself else {}
        tried = {name: _trained(way, name, variant) for name, way in ways.items()}
        runs |= {name: run for name, run in tried.items() if run}
    if BY_ITSELF in runs:
        _thaw(runs[BY_ITSELF].bundle, experiment)
    chosen = max(runs, key=lambda name: _worth(runs[name], metric))
    results = _judge(experiment, runs, metric)
    verdict = f"{diagnosis.words}; {_outcome(results, chosen, metric)}"
    treatment = Treatment(metric, diagnosis, by_itself, results, chosen, verdict, runs[chosen])
    treatment.trained.bundle.card["balance"] = treatment.to_json()
    return treatment


def check_balance(experiment: Experiment, variant: Variant = Variant()) -> None:
    """Raises ConfigError where there is nothing to balance: one modality only, or no validation rows."""
    place, towers = "train.balance", variant.towers or [tower.name for tower in experiment.blueprint.towers]
    if len(towers) < 2:
        raise ConfigError(f"there is one modality only: {towers[0]}", place=place, rule="two or more to balance")
    if not len(experiment.rows("validation")):
        raise ConfigError("there are no validation rows to choose by", place=place, cure="--set split.validation=0.1")


def _with(experiment: Experiment, *names: str) -> Experiment:
    """The same rows and arrays, these techniques beside those of the settings."""
    chosen = {**experiment.config.train.techniques, **{name: {} for name in names if name not in _on(experiment)}}
    other = copy.copy(experiment)
    train = experiment.config.train.model_copy(update={"techniques": chosen})
    other.config = experiment.config.model_copy(update={"train": train})
    return other


def _from_towers(experiment: Experiment, found: Mapping[str, ByItself]) -> Experiment:
    """The same rows; what was trained by itself is done, the rest is to train."""
    models = {name: own.trained.bundle.network for name, own in found.items()}
    own = experiment.config.train
    dropout = max(own.modality_dropout, LEAST_DROPOUT)
    left = own.model_copy(update={"modality_dropout": dropout, "pretrain": None})
    return _with(experiment.from_towers(models, left), DOCTOR)


def _thaw(bundle: FittedModel, experiment: Experiment) -> None:
    """What was frozen for the remedy's sake need not stay so where the model is continued."""
    train = bundle.config.train.model_copy(update={"freeze": experiment.config.train.freeze})
    bundle.config = bundle.config.model_copy(update={"train": train})


def _on(experiment: Experiment) -> Mapping[str, Any]:
    return experiment.config.train.techniques


def _trained(experiment: Experiment, name: str, variant: Variant) -> Trained | None:
    """A model beside the plain one; None where it can't be trained, which is no fault of the plain one."""
    experiment.report.log(f"{name}: training")
    try:
        return experiment.train(variant)
    except TrainingError as error:
        experiment.report.log(f"! {name} is left out: {error.finding}")
        return None


def _by_itself(experiment: Experiment, plain: Trained, variant: Variant, name: str, metric: str) -> ByItself | None:
    run = _trained(experiment, f"{name} by itself", replace(variant, towers=[name]))
    if run is None:
        return None
    alone = run.outcomes["validation"]
    rows, bundle = experiment.rows("validation"), plain.bundle
    prepared = experiment.prepared.only(bundle.learnt)
    with bundle.network.reading_features(experiment.frozen):
        scores, _ = bundle.subset_scores(prepared, [[name]], rows)
    fused = experiment.task.outcome(scores[0], experiment.target[rows])
    values = [float(score(metric, outcome)[0]) for outcome in (fused, alone)]
    return ByItself(values[0], values[1], compare_outcomes(alone, fused, metric), run)


def _chance(experiment: Experiment, plain: Trained, metric: str) -> float:
    """The metric of the training rows' average on the validation rows."""
    outcome = plain.outcomes["validation"]
    scores = np.broadcast_to(np.array(plain.bundle.prior), outcome.scores.shape).copy()
    return float(score(metric, experiment.task.outcome(scores, outcome.truth))[0])


def _settle(diagnosis: Diagnosis, found: Mapping[str, ByItself], chance: float, metric: str) -> Diagnosis:
    """Undertrained or weak, now that the modalities were trained by themselves."""
    lower = lower_is_better(metric)

    def is_undertrained(own: ByItself) -> bool:
        lost = skill(own.alone, chance, lower) - skill(own.fused, chance, lower)
        return lost >= GAP and own.difference.interval[0] > 0

    behind = [name for name, own in found.items() if is_undertrained(own)]
    told = ", ".join(
        f"{name!r} comes to {own.fused:.3g} {metric} alone in the fused model, to {own.alone:.3g} trained by itself"
        for name, own in found.items()
        if name in (behind or diagnosis.behind or found)
    )
    if behind:
        words = f"undertrained: {told}"
        return replace(diagnosis, state="undertrained", behind=behind, words=words)
    state = "weak" if diagnosis.behind else "balanced"
    reason = "weak by nature, not undertrained" if diagnosis.behind else "balanced"
    return replace(diagnosis, state=state, words=f"{reason}: {told}; no remedy needed", remedies=[])


def _unsettled(diagnosis: Diagnosis, failed: Sequence[str]) -> Diagnosis:
    """With a word on modalities that could not be trained by themselves: of them nothing is known."""
    if not failed:
        return diagnosis
    words = f"{diagnosis.words}; not known of {', '.join(map(repr, failed))}: training by itself could not go on"
    return replace(diagnosis, words=words)


def _worth(run: Trained, metric: str) -> float:
    """The watched metric on the validation rows, the larger the better; of equals the first, plain training, stays."""
    value = run.validated(metric)
    value = -value if lower_is_better(metric) else value
    return -math.inf if math.isnan(value) else value


def _judge(experiment: Experiment, runs: Mapping[str, Trained], metric: str) -> list[Tried]:
    split = "test" if "test" in runs[PLAIN].outcomes else "validation"
    outcomes: dict[str, Outcome] = {name: run.outcomes[split] for name, run in runs.items()}
    names = metrics_of(experiment.task_name)
    gains = {n: compare_outcomes(own, outcomes[PLAIN], metric) for n, own in outcomes.items() if n != PLAIN}
    corrected = dict(zip(gains, holm([gain.p for gain in gains.values()]), strict=True))
    return [
        Tried(
            name,
            run.validated(metric),
            replace(evaluate_outcome(outcomes[name], names), rows=f"{split} rows"),
            gains.get(name),
            corrected.get(name),
            run.seconds,
        )
        for name, run in runs.items()
    ]


def _outcome(results: Sequence[Tried], chosen: str, metric: str) -> str:
    """What is kept and what that changes."""
    if len(results) == 1:
        return "plain training is kept"
    kept = next(result for result in results if result.name == chosen)
    best, plain = kept.validation, results[0].validation
    if kept.difference is None or kept.p is None:
        return f"no remedy did better than plain training on the validation rows ({plain:.4g} {metric}), which is kept"
    low, high = kept.difference.interval
    return (
        f"{chosen} is kept ({best:.4g} {metric} against {plain:.4g} on the validation rows): "
        f"{kept.difference.value:+.4f} over plain training on the {kept.evaluation.rows}, 95% interval {low:+.4f} to "
        f"{high:+.4f}, p {kept.p:.3f}"
    )
