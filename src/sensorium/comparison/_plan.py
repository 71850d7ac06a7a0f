"""Plan the models of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sensorium.baselines import NONE
from sensorium.comparison._result import Kind
from sensorium.config import Choice
from sensorium.errors import ConfigError, SensoriumError, UnknownNameError, raise_together
from sensorium.model import OWN_FUSION, fusion_kind, plain_fusion
from sensorium.planning import Plan, check_several_modalities
from sensorium.registry import baselines, fusions
from sensorium.trials import TrialSpec

ALL = "all"
USUAL = ("attention", "concat", "gated", "late", "low_rank", "weighted_sum")  # one of each kind, all of them quick


@dataclass(frozen=True)
class Candidate:
    """Model to train in a comparison.

    Attributes:
        name: a unique name, also of the folder it is saved in.
        kind: see `Result`.
        modalities: the towers that it uses.
        spec: the trial.
    """

    name: str
    kind: Kind
    modalities: list[str]
    spec: TrialSpec

    @property
    def fusion(self) -> str | None:
        return self.spec.choice.name if self.spec.choice else None


def plan_candidates(plan: Plan, chosen: Sequence[str] | None, classical: Sequence[str]) -> dict[str, Candidate]:
    """Return name → model: single modalities, fusions (`USUAL` by default) and baselines.

    Raises:
        ConfigError: there is only one modality, or there are no validation or test rows.
        UnknownNameError: a fusion is not registered.
    """
    towers = plan.towers
    _check(plan)
    names = USUAL if chosen is None else fusions.names() if list(chosen) == [ALL] else chosen
    singles = [Candidate(name, "single", [name], TrialSpec(name, [name])) for name in towers]
    fused = [_fused(plan, name) for name in dict.fromkeys(names)]
    taken = [*towers, *(candidate.name for candidate in fused)]
    others = [_baseline(_unique(name, "baseline", taken), name, towers) for name in classical]
    return {candidate.name: candidate for candidate in [*singles, *fused, *others]}


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


def _fused(plan: Plan, fusion: str) -> Candidate:
    name, choice = _unique(plain_fusion(fusion), "fusion", plan.towers), _choice(plan, fusion)
    return Candidate(name, "fusion", plan.towers, TrialSpec(name, fusion=choice.model_dump(mode="json")))


def _baseline(name: str, registered: str, towers: list[str]) -> Candidate:
    return Candidate(name, "baseline", towers, TrialSpec(name, baseline=registered))


def _unique(name: str, kind: str, taken: Sequence[str]) -> str:
    return f"{name} ({kind})" if name in taken else name


def _choice(plan: Plan, fusion: str) -> Choice:
    """Return a fusion, with its options in the settings if they name it."""
    fusion_kind(fusion, plan.modules)
    chosen = plan.config.fusion
    return chosen if chosen.name == fusion else Choice.of(fusion)
