"""Does fusing help? Every single modality and every fusion, on one split and the same seeds, with paired statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

from sensorium.artifact import check_place, save_bundle, to_json, write_file
from sensorium.config import Choice
from sensorium.errors import ConfigError
from sensorium.evaluate import Difference, Evaluation, compare_runs, evaluate_runs, finite, holm, verdict
from sensorium.experiment import Experiment, Trained, Variant
from sensorium.metrics import Outcome, lower_is_better, metrics_of, score
from sensorium.registry import fusions as known_fusions

USUAL = ("attention", "concat", "gated", "late", "weighted_sum")  # one of each kind, all of them quick


@dataclass(frozen=True)
class Result:
    """One trained model of a comparison.

    Attributes:
        name: of the modality, or of the fusion.
        modalities: towers it uses.
        fusion: registered name; None for a single modality.
        evaluation: on the test rows; of several seeds, means, and intervals over rows and seeds.
        runs: watched metric on the test rows, seed by seed.
        validation: watched metric on the validation rows, by which the best are chosen; the mean over seeds.
        seconds: of training, the mean over seeds.
        parameters: trained numbers.
        gain: of a fusion over the best single modality, on the test rows.
        p: of that gain, corrected for the number of fusions (Holm 1979).
    """

    name: str
    modalities: list[str]
    fusion: str | None
    evaluation: Evaluation
    runs: list[float]
    validation: float
    seconds: float
    parameters: int
    gain: Difference | None = None
    p: float | None = None

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
            "runs": [finite(value) for value in self.runs],
            "gain": self.gain and {**self.gain.to_json(), "p_corrected": None if self.p is None else finite(self.p)},
        }


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes:
        results: single modalities first.
        best_single, best_fused: names; chosen on the validation rows, so that the test rows judge them unseen.
        difference: best fused less best single, on the test rows.
        verdict: one sentence.
        seeds: each model was trained from each of them.
    """

    results: list[Result]
    best_single: str
    best_fused: str
    difference: Difference
    verdict: str
    seeds: list[int]

    def to_json(self) -> dict[str, Any]:
        return {
            "results": [result.to_json() for result in self.results],
            "best_single": self.best_single,
            "best_fused": self.best_fused,
            "difference": self.difference.to_json(),
            "verdict": self.verdict,
            "seeds": self.seeds,
        }


def compare_towers(
    experiment: Experiment, fusions: Sequence[str] | None, seeds: Sequence[int], out: Path | None
) -> Comparison:
    """Train, score, choose on validation, judge on test.

    Args:
        experiment: the table, prepared.
        fusions: registered names, or `["all"]`; `USUAL` by default.
        seeds: each model is trained from each of them, on the one split.
        out: folder for the table of results, and each model as the first seed made it.

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
    metric = experiment.config.train.metric or experiment.task.watch
    results, test = [], {}
    for name, variant in variants.items():
        runs = [_train(experiment, name, replace(variant, seed=seed), seeds) for seed in seeds]
        if out:
            save_bundle(runs[0].bundle, out / name)
        test[name] = [run.outcomes["test"] for run in runs]
        results.append(_result(name, runs, metrics_of(experiment.task_name), metric))
    comparison = _judge(results, test, metric, list(seeds))
    if out:
        write_file(out / "comparison.json", to_json(comparison.to_json()))
    return comparison


def _train(experiment: Experiment, name: str, variant: Variant, seeds: Sequence[int]) -> Trained:
    experiment.report.say(f"{name}: training{f', seed {variant.seed}' if len(seeds) > 1 else ''}")
    return experiment.train(variant)


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


def _result(name: str, runs: Sequence[Trained], names: Sequence[str], metric: str) -> Result:
    bundle, test = runs[0].bundle, [run.outcomes["test"] for run in runs]
    towers = [tower.name for tower in bundle.blueprint.towers]
    return Result(
        name=name,
        modalities=towers,
        fusion=None if towers == [name] else bundle.blueprint.fusion,
        evaluation=evaluate_runs(test, names),
        runs=[float(score(metric, outcome)[0]) for outcome in test],
        validation=mean(run.history.epochs[run.history.best - 1].metric for run in runs),
        seconds=mean(run.seconds for run in runs),
        parameters=sum(p.numel() for p in bundle.network.parameters() if p.requires_grad),
    )


def _judge(
    results: Sequence[Result], test: Mapping[str, Sequence[Outcome]], metric: str, seeds: list[int]
) -> Comparison:
    sign = -1 if lower_is_better(metric) else 1
    best_single = max((r for r in results if r.fusion is None), key=lambda r: sign * r.validation)
    best_fused = max((r for r in results if r.fusion is not None), key=lambda r: sign * r.validation)
    gains = {
        r.name: compare_runs(test[r.name], test[best_single.name], metric) for r in results if r.fusion is not None
    }
    corrected = dict(zip(gains, holm([gain.p for gain in gains.values()]), strict=True))
    results = [replace(r, gain=gains.get(r.name), p=corrected.get(r.name)) for r in results]
    difference = gains[best_fused.name]
    sentence = verdict(difference, best_fused.name, best_single.name, best_fused.seconds / best_single.seconds)
    if difference.interval[0] > 0:
        others = [r for r in results if r.fusion is None and r.name != best_single.name]
        sentence += _not_beaten(best_fused, others, test, metric)
    if len(seeds) > 1:
        sentence += f" (means of {len(seeds)} seeds)"
    return Comparison(results, best_single.name, best_fused.name, difference, sentence, seeds)


def _not_beaten(fused: Result, singles: Sequence[Result], test: Mapping[str, Sequence[Outcome]], metric: str) -> str:
    """The single modality that validation passed over and the test rows don't: fusing must beat each of them."""
    found = [(compare_runs(test[fused.name], test[r.name], metric), r) for r in singles]
    left = [(difference, r) for difference, r in found if difference.interval[0] <= 0]
    if not left:
        return ""
    difference, single = min(left, key=lambda pair: pair[0].value)
    return f"; but {verdict(difference, fused.name, single.name, fused.seconds / single.seconds)}"
