"""Result of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sensorium.evaluate import CrossValidation, Difference, Evaluation, ModelName, Verdict
from sensorium.evaluate.verdict import ModelKind
from sensorium.files.figures import finite
from sensorium.model import plain_fusion
from sensorium.model.card import BlendRecord
from sensorium.trials import Cost
from sensorium.wording import verdict_sentence

Kind: TypeAlias = ModelKind


@dataclass(frozen=True)
class Result:
    """Result of one model of a comparison.

    Attributes:
        name: name of the modality, the fusion or the baseline; `blend` for the blend.
        kind: `single` (one modality), `fusion` (all modalities), `baseline` (a classical model of all columns) or
            `blend` (a network, linear models and boosted trees, weighted by their predictions out of fold).
        modalities: the towers that it uses; those of its members for a blend, or all with folds.
        fusion: registered name of the fusion; None for other kinds.
        evaluation: test metrics; with several seeds, means, and intervals over rows and seeds. With folds, means over
            folds and seeds, and corrected intervals over folds.
        runs: watched test metric of each seed (a baseline is trained once), or with folds of each fold.
        validation: watched validation metric, which selects models; the mean over seeds and folds. That of a blend is
            out of fold.
        cost: cost of training and prediction.
        gain: gain of a fusion, a baseline or the blend over the best single modality, on the test rows.
        p: p-value of the gain, corrected for the number of gains (Holm 1979).
        folds: test metrics of each fold; empty for a single split.
        shared_validation: watched metric on the validation rows that judge the blend, with which it is compared; None
            without a blend.
        blend: members of the blend of the first seed and how they were chosen; None for other kinds and with folds.
    """

    name: str
    kind: Kind
    modalities: list[str]
    fusion: str | None
    evaluation: Evaluation
    runs: list[float]
    validation: float
    cost: Cost
    gain: Difference | None = None
    p: float | None = None
    folds: list[dict[str, float]] = field(default_factory=list)
    shared_validation: float | None = None
    blend: BlendRecord | None = None

    @property
    def model(self) -> ModelName:
        """Name of the model in verdicts."""
        return ModelName(self.kind, plain_fusion(self.fusion) if self.fusion else self.name)

    def to_json(self) -> dict[str, Any]:
        evaluation = self.evaluation.to_json()
        return {
            "name": self.name,
            "kind": self.kind,
            "modalities": self.modalities,
            "fusion": self.fusion,
            "metrics": evaluation["metrics"],
            "intervals": evaluation["intervals"],
            **self.cost.to_json(),
            "runs": [finite(value) for value in self.runs],
            "validation": finite(self.validation),
            "gain": self.gain and {**self.gain.to_json(), "p_corrected": None if self.p is None else finite(self.p)},
            **({} if self.shared_validation is None else {"shared_validation": finite(self.shared_validation)}),
            **({"blend": self.blend.model_dump(mode="json")} if self.blend else {}),
            **({"folds": [_finite(metrics) for metrics in self.folds]} if self.folds else {}),
        }


def _finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    return {name: finite(value) for name, value in metrics.items()}


@dataclass(frozen=True)
class Judgement:
    """Best models, selected on the validation rows and compared on the test rows.

    Attributes:
        best_single, best_fused, best_baseline: names of the best models of each kind on the validation rows;
            `best_baseline` is None without baselines.
        difference: best fused model minus best single modality, on the test rows.
        baseline_difference: best baseline minus best fused model.
        helps: whether fusing is shown to be better than every single modality.
        recommended: name of the model to use: a fused one only if fusing helps, otherwise the best single modality on
            the validation rows of those that fusing is not shown to beat; a baseline only if it is shown to be better.
            The blend instead if its validation metric is better, and the test rows do not show that it is worse.
        finding: the verdict as data.
    """

    best_single: str
    best_fused: str
    best_baseline: str | None
    difference: Difference
    baseline_difference: Difference | None
    helps: bool
    recommended: str
    finding: Verdict

    @property
    def verdict(self) -> str:
        """The verdict in short sentences."""
        return verdict_sentence(self.finding)


@dataclass(frozen=True)
class Comparison(Judgement):
    """Result of `sensorium.compare`.

    Attributes:
        results: results of single modalities, then fusions, baselines and the blend.
        seeds: random seeds; each network was trained with each of them.
        left_out: name of a model → the reason why it was not trained.
        notices: findings about the table, its columns and cells, as `ProblemGroup.to_json`.
        cross_validation: the folds, if there are any; metrics and differences are then means over folds.

    Example:
        >>> comparison = sensorium.compare(
        ...     "films.csv", "genre", fusions=["concat"], baselines=["none"], epochs=1, progress=False
        ... )
        >>> [result.name for result in comparison.results]
        ['plot', 'tabular', 'concat']
        >>> comparison.recommended in ("plot", "tabular", "concat")
        True
    """

    results: list[Result]
    seeds: list[int]
    left_out: dict[str, str]
    notices: list[dict[str, Any]]
    cross_validation: CrossValidation | None = None

    @property
    def groups(self) -> int | None:
        """Number of groups of test rows that the intervals resample as a whole; None if they resample rows.

        Example:
            >>> comparison.groups is None  # `split.group` is not set
            True
        """
        return self.results[0].evaluation.groups if self.results else None

    @property
    def few(self) -> dict[str, int]:
        """Numbers of test rows or groups that are too few for intervals to be relied on, as in `Evaluation.few`.

        Example:
            >>> comparison.few == {"rows": comparison.results[0].evaluation.n}
            True
        """
        return self.results[0].evaluation.few if self.results else {}

    def __str__(self) -> str:
        """Return one line per model with the watched test metric and its interval, then the verdict."""
        wide, metric = max((len(result.name) for result in self.results), default=0), self.difference.metric
        lines = []
        for result in self.results:
            value, (low, high) = result.evaluation.metrics[metric], result.evaluation.intervals[metric]
            scored = f"{metric} {value:.4g} ({low:.4g} to {high:.4g})"
            lines.append(f"{result.name:<{wide}}  {result.kind:<8}  {scored}")
        return "\n".join([*lines, self.verdict])

    def __repr__(self) -> str:
        return f"<sensorium.Comparison of {len(self.results)} models: {self.recommended!r} is recommended>"

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as JSON values.

        Example:
            >>> record = comparison.to_json()
            >>> [result["name"] for result in record["results"]]
            ['plot', 'tabular', 'concat']
        """
        return {
            "results": [result.to_json() for result in self.results],
            "best_single": self.best_single,
            "best_fused": self.best_fused,
            "best_baseline": self.best_baseline,
            "difference": self.difference.to_json(),
            "baseline_difference": self.baseline_difference and self.baseline_difference.to_json(),
            "helps": self.helps,
            "recommended": self.recommended,
            "verdict": self.verdict,
            "finding": self.finding.to_json(),
            "seeds": self.seeds,
            "left_out": self.left_out,
            "notices": self.notices,
            **({} if self.groups is None else {"groups": self.groups}),
            **({"few": self.few} if self.few else {}),
            **({"cross_validation": self.cross_validation.to_json()} if self.cross_validation else {}),
        }
