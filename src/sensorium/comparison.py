"""Does fusing help? Every single modality and every fusion, on one split and seed, with paired statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensorium.artifact import check_place, save_bundle, to_json, write_file
from sensorium.config import Choice
from sensorium.errors import ConfigError
from sensorium.evaluate import Difference, Evaluation, compare_outcomes, evaluate_outcome, verdict
from sensorium.experiment import Experiment, Trained, Variant
from sensorium.metrics import lower_is_better, metrics_of
from sensorium.registry import fusions as known_fusions

USUAL = ("attention", "concat", "gated", "late", "weighted_sum")  # one of each kind, all of them quick


@dataclass(frozen=True)
class Result:
    """One trained model of a comparison.

    Attributes:
        name: of the modality, or of the fusion.
        modalities: towers it uses.
        fusion: registered name; None for a single modality.
        evaluation: on the test rows.
        validation: watched metric on the validation rows, by which the best are chosen.
        seconds: of training.
        parameters: trained numbers.
    """

    name: str
    modalities: list[str]
    fusion: str | None
    evaluation: Evaluation
    validation: float
    seconds: float
    parameters: int

    def to_json(self) -> dict[str, Any]:
        found = self.evaluation.to_json()
        return {
            "name": self.name,
            "modalities": self.modalities,
            "fusion": self.fusion,
            "metrics": found["metrics"],
            "intervals": found["intervals"],
            "seconds": round(self.seconds, 3),
            "parameters": self.parameters,
        }


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes:
        results: single modalities first.
        best_single, best_fused: names; chosen on the validation rows, so that the test rows judge them unseen.
        difference: best fused less best single, on the test rows.
        verdict: one sentence.
    """

    results: list[Result]
    best_single: str
    best_fused: str
    difference: Difference
    verdict: str

    def to_json(self) -> dict[str, Any]:
        return {
            "results": [result.to_json() for result in self.results],
            "best_single": self.best_single,
            "best_fused": self.best_fused,
            "difference": self.difference.to_json(),
            "verdict": self.verdict,
        }


def compare_towers(experiment: Experiment, fusions: Sequence[str] | None, out: Path | None) -> Comparison:
    """Train, score, choose on validation, judge on test.

    Raises:
        ConfigError: one modality only, or no validation or test rows.
    """
    towers = [tower.name for tower in experiment.blueprint.towers]
    _check(experiment, towers)
    variants = {name: Variant([name]) for name in towers}
    variants |= {_unique(name, towers): Variant(None, _choice(experiment, name)) for name in _named(fusions)}
    if out:
        for name in variants:
            check_place(out / name)
    trained: dict[str, Trained] = {}
    for name, variant in variants.items():
        experiment.report.say(f"{name}: training")
        trained[name] = experiment.train(variant)
        if out:
            save_bundle(trained[name].bundle, out / name)
    results = [_result(name, variants[name], trained[name], experiment) for name in variants]
    comparison = _judge(
        results,
        trained,
        experiment.task.watch if not experiment.config.train.metric else experiment.config.train.metric,
    )
    if out:
        write_file(out / "comparison.json", to_json(comparison.to_json()))
    return comparison


def _check(experiment: Experiment, towers: Sequence[str]) -> None:
    if len(towers) < 2:
        raise ConfigError(
            f"there is one modality only: {towers[0]}", place=experiment.table.name, rule="two or more to compare"
        )
    for split in ("validation", "test"):
        if not len(experiment.rows(split)):
            raise ConfigError(
                f"there are no {split} rows", place=experiment.split.how, rule="a split with all three parts"
            )


def _named(fusions: Sequence[str] | None) -> Sequence[str]:
    return USUAL if fusions is None else known_fusions.names() if list(fusions) == ["all"] else fusions


def _unique(fusion: str, towers: Sequence[str]) -> str:
    return f"{fusion} (fusion)" if fusion in towers else fusion


def _choice(experiment: Experiment, fusion: str) -> Choice:
    """The settings' own options where it is the fusion that they name."""
    known_fusions.entry(fusion)
    chosen = experiment.config.fusion
    return chosen if chosen.name == fusion else Choice.of(fusion)


def _result(name: str, variant: Variant, trained: Trained, experiment: Experiment) -> Result:
    best = trained.history.epochs[trained.history.best - 1]
    network = trained.bundle.network
    return Result(
        name=name,
        modalities=[tower.name for tower in trained.bundle.blueprint.towers],
        fusion=variant.fusion.name if variant.fusion else None,
        evaluation=evaluate_outcome(trained.outcomes["test"], metrics_of(experiment.task_name)),
        validation=best.metric,
        seconds=trained.seconds,
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
    )


def _judge(results: list[Result], trained: dict[str, Trained], metric: str) -> Comparison:
    sign = -1 if lower_is_better(metric) else 1
    best_single = max((r for r in results if r.fusion is None), key=lambda r: sign * r.validation)
    best_fused = max((r for r in results if r.fusion is not None), key=lambda r: sign * r.validation)
    test = {name: found.outcomes["test"] for name, found in trained.items()}
    difference = compare_outcomes(test[best_fused.name], test[best_single.name], metric)
    slower = best_fused.seconds / best_single.seconds
    sentence = verdict(difference, best_fused.name, best_single.name, slower)
    return Comparison(results, best_single.name, best_fused.name, difference, sentence)
