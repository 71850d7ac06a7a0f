"""Verdict of a comparison, as data; `sensorium.wording` makes the sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sensorium.files.figures import Figure, finite
from sensorium.metrics import Difference

ModelKind: TypeAlias = Literal["single", "fusion", "baseline", "blend"]
VerdictKind: TypeAlias = Literal["helps", "does_not_help", "hurts", "undefined"]

SIGNIFICANT = 0.05  # p-values below it are significant


@dataclass(frozen=True)
class ModelName:
    """Model of a comparison.

    Attributes:
        kind: a single modality, a fusion of all modalities, a baseline on all columns, or the blend.
        name: name of the modality, fusion, baseline or blend.
    """

    kind: ModelKind
    name: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name}


@dataclass(frozen=True)
class Unbeaten:
    """Single modality that the fused model is not shown to beat.

    Attributes:
        model: the modality.
        difference: fused model minus this modality.
    """

    model: ModelName
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        return {**self.model.to_json(), "difference": self.difference.to_json()}


@dataclass(frozen=True)
class Quicker:
    """Fusion that trains much faster than the best one and is not shown to be worse.

    Attributes:
        model: the fusion.
        speedup: training time of the best fusion divided by that of this one.
        difference: this fusion minus the best one.
    """

    model: ModelName
    speedup: float
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        return {**self.model.to_json(), "speedup": self.speedup, "difference": self.difference.to_json()}


@dataclass(frozen=True)
class Better:
    """Baseline that is shown to be better than a network.

    Attributes:
        model: the baseline.
        than: the network that it beats.
        difference: baseline minus that model.
    """

    model: ModelName
    than: ModelName
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        return {**self.model.to_json(), "than": self.than.to_json(), "difference": self.difference.to_json()}


@dataclass(frozen=True)
class BlendComparison:
    """Blend beside the model that is recommended without it.

    Attributes:
        model: the blend.
        than: the other model.
        difference: blend minus that model, on the test rows.
        better: whether the blend has the better validation metric.
        worse: whether the test rows show that the blend is worse.
    """

    model: ModelName
    than: ModelName
    difference: Difference
    better: bool
    worse: bool

    @property
    def recommended(self) -> bool:
        """Return whether the blend is recommended."""
        return self.better and not self.worse

    def to_json(self) -> dict[str, Any]:
        return {
            **self.model.to_json(),
            "than": self.than.to_json(),
            "difference": self.difference.to_json(),
            "better_on_validation": self.better,
            "worse_on_test": self.worse,
        }


@dataclass(frozen=True)
class Verdict:
    """Result of a comparison: whether fusing helped, judged on the test rows.

    Attributes:
        kind: `helps` only if the fused model is shown to be better than every single modality; `hurts` if it is shown
            to be worse than the best one, also after correction for the number of gains; `undefined` if the metric is
            not defined on these rows.
        fused, single: the best models on the validation rows.
        difference: `fused` minus `single`.
        slowdown: training time of `fused` divided by that of `single`.
        recommended: the model to use. The test rows exclude what is shown to be worse; the validation rows choose among
            the rest.
        unbeaten: if `fused` beats `single` but not every modality, the modality with the smallest gain.
        quicker: a much faster fusion, if there is one that is not shown to be worse.
        better: a baseline that beats the fused or the recommended network.
        blend: the blend beside the model that is recommended without it; None without a blend.
        seeds: number of random seeds that each network was trained with.
        p_corrected: p-value of the difference, corrected for the number of gains (Holm 1979).
        folds, repeats: of a cross-validation; 0 folds for a single split.
        choices: number of gains that each p-value must be corrected for before a claim; 1 for a single split.
    """

    kind: VerdictKind
    fused: ModelName
    single: ModelName
    difference: Difference
    slowdown: float
    recommended: ModelName
    unbeaten: Unbeaten | None = None
    quicker: Quicker | None = None
    better: Better | None = None
    blend: BlendComparison | None = None
    seeds: int = 1
    p_corrected: Figure | None = None
    folds: int = 0
    repeats: int = 1
    choices: int = 1

    @property
    def needs_the_rule(self) -> bool:
        """Return whether fusing helps, though the corrected p-value is not significant: the reader needs the rule."""
        return self.kind == "helps" and self.p_corrected is not None and self.p_corrected >= SIGNIFICANT

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "fused": self.fused.to_json(),
            "single": self.single.to_json(),
            "difference": self.difference.to_json(),
            "slowdown": self.slowdown,
            "recommended": self.recommended.to_json(),
            "unbeaten": self.unbeaten and self.unbeaten.to_json(),
            "quicker": self.quicker and self.quicker.to_json(),
            "better": self.better and self.better.to_json(),
            "blend": self.blend and self.blend.to_json(),
            "seeds": self.seeds,
            "p_corrected": None if self.p_corrected is None else finite(self.p_corrected),
            **({"folds": self.folds, "repeats": self.repeats, "choices": self.choices} if self.folds else {}),
        }


def verdict_kind(difference: Difference, *, beats_every_modality: bool, p_corrected: float) -> VerdictKind:
    """Return the kind of verdict for the difference between the best fused and the best single model.

    Both are chosen on the validation rows, and to help, the fused model must beat every modality: this claim needs no
    correction. That fusing hurts is claimed only if the p-value is significant after correction.
    """
    if difference.undefined:
        return "undefined"
    if difference.helps:
        return "helps" if beats_every_modality else "does_not_help"
    return "hurts" if difference.interval[1] < 0 and p_corrected < SIGNIFICANT else "does_not_help"
