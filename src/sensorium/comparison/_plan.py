"""Plan the models of a comparison."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sensorium.baselines import NONE
from sensorium.blending import FOLDS, needs_fold
from sensorium.comparison._result import Kind
from sensorium.config import Choice
from sensorium.errors import ConfigError, SensoriumError, UnknownNameError, raise_together
from sensorium.model import OWN_FUSION, fusion_kind, plain_fusion
from sensorium.planning import Plan, check_several_modalities
from sensorium.registry import baselines, fusions
from sensorium.trials import TrialSpec

ALL = "all"
BLEND = "blend"
USUAL = ("attention", "concat", "gated", "late", "low_rank", "weighted_sum")  # one of each kind, all of them quick


@dataclass(frozen=True)
class Candidate:
    """Model to train in a comparison.

    Attributes:
        name: a unique name, also of the folder it is saved in.
        kind: see `Result`.
        modalities: the towers that it uses.
        spec: the trial.
        folds: number of folds that judge the members of a blend; 1 for other models, and for a blend of a large table.
    """

    name: str
    kind: Kind
    modalities: list[str]
    spec: TrialSpec
    folds: int = 1

    @property
    def fusion(self) -> str | None:
        return self.spec.choice.name if self.spec.choice else None


def plan_candidates(
    plan: Plan, chosen: Sequence[str] | None, classical: Sequence[str], *, blend: bool = False
) -> dict[str, Candidate]:
    """Return name → model: single modalities, fusions (`USUAL` by default), baselines and the blend.

    Args:
        plan: the plan.
        chosen: fusions, as in `ComparisonOptions`.
        classical: baselines.
        blend: whether to add the blend.

    Raises:
        ConfigError: there is only one modality, or there are no validation or test rows.
        UnknownNameError: a fusion is not registered.
    """
    towers = plan.towers
    _check(plan)
    names = USUAL if chosen is None else fusions.names() if list(chosen) == [ALL] else chosen
    singles = [Candidate(name, "single", [name], TrialSpec(name, [name])) for name in towers]
    found = {candidate.name: candidate for candidate in singles}
    # A registered fusion keeps its name beside one of the user.
    for name in sorted(dict.fromkeys(names), key=lambda name: name.startswith(OWN_FUSION)):
        candidate = _fused(plan, name, found)
        found[candidate.name] = candidate
    for name in dict.fromkeys(classical):
        candidate = _baseline(_unique(name, "baseline", found), name, towers)
        found[candidate.name] = candidate
    if blend:
        name = _unique(BLEND, "blended model", found)
        spec, folds = TrialSpec(name, blended=True), 1 if needs_fold(plan) else FOLDS[0]
        found[name] = Candidate(name, "blend", towers, spec, folds)
    return found


def check_names(chosen: Sequence[str] | None, classical: Sequence[str] | None) -> None:
    """Check the names of fusions and baselines, before the table is read.

    Args:
        chosen, classical: fusions and baselines, as in `ComparisonOptions`.

    Raises:
        UnknownNameError: a name is not registered. The error lists all such names.
        ConfigError: no fusion is chosen.
    """
    if chosen is not None and not list(chosen):
        raise ConfigError("no fusion to compare", place="fusions", rule="1 or more")
    faults = list[SensoriumError]()
    for registry, asked, word in ((fusions, chosen, ALL), (baselines, classical, NONE)):
        for name in [] if asked is None or list(asked) == [word] else asked:
            if name.startswith(OWN_FUSION) and registry is fusions:
                continue
            try:
                registry.entry(name)
            except UnknownNameError as error:
                faults.append(error)
    raise_together(faults)


def _check(plan: Plan) -> None:
    check_several_modalities(plan, plan.table.name)
    for split in ("validation", "test"):
        if not len(plan.rows(split)):
            raise ConfigError(
                f"there are no {split} rows", place=plan.split.how, rule="training, validation and test rows"
            )


def _fused(plan: Plan, fusion: str, taken: Collection[str]) -> Candidate:
    plain = plain_fusion(fusion)
    name = _unique(plain, "fusion" if fusion == plain else "your own fusion", taken)
    choice = _choice(plan, fusion)
    return Candidate(name, "fusion", plan.towers, TrialSpec(name, fusion=choice.model_dump(mode="json")))


def _baseline(name: str, registered: str, towers: list[str]) -> Candidate:
    return Candidate(name, "baseline", towers, TrialSpec(name, baseline=registered))


def _unique(name: str, kind: str, taken: Collection[str]) -> str:
    """Return the name of a model: with its kind, and a number if necessary, if another model has its name."""
    names = (f"{name} ({kind})" if number == 1 else f"{name} ({kind} {number})" for number in itertools.count(1))
    return name if name not in taken else next(each for each in names if each not in taken)


def _choice(plan: Plan, fusion: str) -> Choice:
    """Return a fusion, with its options in the settings if they name it."""
    fusion_kind(fusion, plan.modules)
    chosen = plan.config.fusion
    return chosen if chosen.name == fusion else Choice.of(fusion)
