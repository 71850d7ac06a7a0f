"""Check for modality imbalance: if a modality is undertrained, try mitigations and keep the best model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from sensorium.config import IMBALANCE_TECHNIQUE
from sensorium.evaluate import Difference, Evaluation, compare_outcomes, evaluate_outcome, holm
from sensorium.metrics import Outcome, default_metrics, lower_is_better, rank_value, score
from sensorium.model import FittedModel
from sensorium.model.card import Diagnosis, ImbalanceRecord, ImbalanceSigns, MitigationRecord, UnimodalRecord
from sensorium.planning import Plan, PreparedTable, check_several_modalities, check_validation_rows
from sensorium.strategies._base import Session, Strategy, trained
from sensorium.techniques import GAP, mitigations_for, skill
from sensorium.trials import Control, TrialResult, TrialSpec, forget_trials, subset_outcome
from sensorium.wording import imbalance_sentence

PLAIN, UNIMODAL = "plain", "unimodal_pretraining"
LEAST_DROPOUT = 0.3  # of modalities, with towers that are done: else the fusion leans on what was learnt by heart


@dataclass(frozen=True)
class UnimodalResult:
    """Validation metrics of one modality, in the fused model and in a unimodal model.

    Attributes:
        fused: watched metric of the plain fused model with this modality only.
        alone: watched metric of a unimodal model.
        difference: `alone` minus `fused`, on the same rows.
        trained: the unimodal model.
    """

    fused: float
    alone: float
    difference: Difference
    trained: TrialResult

    def to_record(self) -> UnimodalRecord:
        return UnimodalRecord(in_fused=self.fused, trained_alone=self.alone, difference=self.difference)


@dataclass(frozen=True)
class Mitigation:
    """Training of the fused model with one mitigation.

    Attributes:
        name: `plain`, a technique, or `unimodal_pretraining` (each encoder alone, then the fusion).
        validation: watched validation metric, which selects the model.
        evaluation: metrics on the test rows, or on the validation rows if there are no test rows.
        difference: difference to plain training on the same rows; None for plain training.
        p: p-value of the difference, corrected for the number of mitigations (Holm 1979).
        seconds: training time.
    """

    name: str
    validation: float
    evaluation: Evaluation
    difference: Difference | None
    p: float | None
    seconds: float

    def to_record(self) -> MitigationRecord:
        evaluation = self.evaluation
        return MitigationRecord(
            name=self.name,
            validation=self.validation,
            metrics=evaluation.metrics,
            intervals={name: list(bounds) for name, bounds in evaluation.intervals.items()},
            difference=None if self.difference is None or self.p is None else self.difference.corrected(self.p),
            seconds=round(self.seconds, 3),
        )


@dataclass(frozen=True)
class ImbalanceReport:
    """Diagnosis of modality imbalance, and results of the mitigations.

    Attributes:
        metric: the watched metric.
        diagnosis: the diagnosis of plain training.
        unimodal: modality → its validation metrics in the fused model and alone.
        results: results of all trainings, plain training first.
        chosen: name of the chosen training.
        rows: name of the split of `evaluation`.
        trained: the chosen model.
        signs: signs of imbalance of plain training.
    """

    metric: str
    diagnosis: Diagnosis
    unimodal: dict[str, UnimodalResult]
    results: list[Mitigation]
    chosen: str
    rows: str
    trained: TrialResult
    signs: ImbalanceSigns

    @property
    def verdict(self) -> str:
        """The verdict as a sentence: which modalities are undertrained, and which model is kept."""
        return imbalance_sentence(self.to_record())

    def to_record(self) -> ImbalanceRecord:
        return ImbalanceRecord(
            metric=self.metric,
            diagnosis=self.diagnosis,
            unimodal={name: own.to_record() for name, own in self.unimodal.items()},
            results=[result.to_record() for result in self.results],
            rows=self.rows,
            chosen=self.chosen,
            plain_signs=self.signs,
        )


class Imbalance(Strategy):
    """Check for modality imbalance that tries mitigations and keeps the model with the best validation metric.

    A modality is undertrained if a unimodal model beats the fused model with this modality only on the validation
    rows: by at least `GAP` of the distance from chance level to a perfect metric, and with a paired 95% interval above
    0. Training all unimodal models takes about as long as training the fused one. A model whose loss diverges is left
    out and reported.

    Mitigations are the techniques that declare themselves as such, and `unimodal_pretraining`, which freezes the
    encoders of the unimodal models and trains only the layers after them, with modality dropout. Du et al. (2023,
    "On Uni-Modal Feature Learning in Supervised Multi-Modal Learning", arXiv:2305.01233) find that features learned
    alone are hard to beat.
    """

    SETTING: ClassVar[str] = "train.imbalance"

    def check(self, plan: Plan) -> None:
        check_several_modalities(plan, self.SETTING)
        check_validation_rows(plan, self.SETTING)

    def run(self, session: Session, so_far: TrialResult | None) -> TrialResult:
        return mitigate(session).trained

    def close(self, folder: Path) -> None:
        forget_trials(folder)


def mitigate(session: Session) -> ImbalanceReport:
    """Diagnose the plain model, train with mitigations if needed, and choose a model.

    Raises:
        TrainingError: the loss of plain training diverges.
    """
    data, plan = session.data, session.data.plan
    mitigations = [name for name in mitigations_for(plan.labels.task_name) if name not in plan.config.train.techniques]
    plain = trained(session.run(_with(plan, PLAIN, IMBALANCE_TECHNIQUE), session.control))
    signs = ImbalanceSigns.model_validate(plain.training_history.techniques[IMBALANCE_TECHNIQUE])
    diagnosis = signs.diagnosis.updated(mitigations=mitigations)
    alone = {name: _train_alone(session, plain, name) for name in signs.modalities}
    unimodal = {name: own for name, own in alone.items() if own}
    diagnosis = _settle(diagnosis, unimodal, _chance(data, plain), plan.metric)
    diagnosis = diagnosis.updated(failed=[name for name, own in alone.items() if not own])
    runs = {PLAIN: plain}
    if diagnosis.state == "undertrained" or plan.config.train.imbalance == "always":
        specs = [_with(plan, name, IMBALANCE_TECHNIQUE, name) for name in mitigations]
        specs += [_from_towers(plan, unimodal)] if unimodal else []
        models = {own.trained.spec.name: own.trained.model for own in unimodal.values()}
        beside = {spec.name: _train_beside(session, spec, models) for spec in specs}
        runs |= {name: run for name, run in beside.items() if run}
    if UNIMODAL in runs:
        runs[UNIMODAL] = _thawed(runs[UNIMODAL], plan)
    chosen = max(runs, key=lambda name: rank_value(plan.metric, runs[name].validated(plan.metric)))
    split = "test" if "test" in plain.outcomes else "validation"
    results = _judge(data, runs, split)
    report = ImbalanceReport(plan.metric, diagnosis, unimodal, results, chosen, split, runs[chosen], signs)
    fitted = report.trained.model
    fitted.card = fitted.card.updated(imbalance=report.to_record())
    return report


def _with(plan: Plan, name: str, *techniques: str) -> TrialSpec:
    """Return a trial with techniques in addition to those of the settings."""
    more: dict[str, Any] = {technique: {} for technique in techniques if technique not in plan.config.train.techniques}
    return TrialSpec(name, settings={"train": {"techniques": more}} if more else {})


def _from_towers(plan: Plan, unimodal: Mapping[str, UnimodalResult]) -> TrialSpec:
    """Return a trial that starts from the unimodal towers and trains the layers after them."""
    spec = _with(plan, UNIMODAL, IMBALANCE_TECHNIQUE)
    dropout = max(plan.config.train.modality_dropout, LEAST_DROPOUT)
    train = {**spec.settings.get("train", {}), "modality_dropout": dropout, "pretrain": None}
    towers = {name: own.trained.spec.name for name, own in unimodal.items()}
    return replace(spec, settings={"train": train}, towers_from=towers)


def _thawed(run: TrialResult, plan: Plan) -> TrialResult:
    """Return the trial with its towers unfrozen again, for later fine-tuning."""
    config = run.model.config
    train = config.train.model_copy(update={"freeze": plan.config.train.freeze})
    return replace(run, fitted=replace(run.model, config=config.model_copy(update={"train": train})))


def _train_beside(
    session: Session, spec: TrialSpec, models: Mapping[str, FittedModel] = MappingProxyType({})
) -> TrialResult | None:
    """Train a model in addition to the plain one; return None if its training fails."""
    session.report.step(f"{spec.name}: training")
    result = session.run(spec, Control(report=session.report, model_of=models.__getitem__))
    if result.error is None:
        return result
    session.report.log(f"! {spec.name} is left out: {result.error.finding}")
    return None


def _train_alone(session: Session, plain: TrialResult, name: str) -> UnimodalResult | None:
    run = _train_beside(session, TrialSpec(f"{name} alone", towers=[name]))
    if run is None:
        return None
    metric = session.data.plan.metric
    alone = run.outcomes["validation"]
    fused = subset_outcome(session.data, plain.model, [name], "validation")
    values = [float(score(metric, outcome)[0]) for outcome in (fused, alone)]
    return UnimodalResult(values[0], values[1], compare_outcomes(alone, fused, metric), run)


def _chance(data: PreparedTable, plain: TrialResult) -> float:
    """Return the validation metric of predicting the average of the training rows."""
    outcome = plain.outcomes["validation"]
    scores = plain.model.prior_scores(len(outcome))
    return float(score(data.plan.metric, data.plan.task.outcome(scores, outcome.truth))[0])


def _settle(diagnosis: Diagnosis, unimodal: Mapping[str, UnimodalResult], chance: float, metric: str) -> Diagnosis:
    """Distinguish undertrained from weak modalities, by the unimodal models."""
    lower = lower_is_better(metric)

    def is_undertrained(own: UnimodalResult) -> bool:
        lost = skill(own.alone, chance, lower) - skill(own.fused, chance, lower)
        return lost >= GAP and own.difference.interval[0] > 0

    behind = [name for name, own in unimodal.items() if is_undertrained(own)]
    if behind:
        return diagnosis.updated(state="undertrained", behind=behind)
    return diagnosis.updated(state="weak" if diagnosis.behind else "balanced", mitigations=[])


def _judge(data: PreparedTable, runs: Mapping[str, TrialResult], split: str) -> list[Mitigation]:
    metric = data.plan.metric
    outcomes: dict[str, Outcome] = {name: run.outcomes[split] for name, run in runs.items()}
    names = default_metrics(data.plan.labels.task_name, metric)
    gains = {n: compare_outcomes(own, outcomes[PLAIN], metric) for n, own in outcomes.items() if n != PLAIN}
    corrected = dict(zip(gains, holm([gain.p for gain in gains.values()]), strict=True))
    return [
        Mitigation(
            name,
            run.validated(metric),
            replace(evaluate_outcome(outcomes[name], names), rows=f"{split} rows"),
            gains.get(name),
            corrected.get(name),
            run.seconds,
        )
        for name, run in runs.items()
    ]
