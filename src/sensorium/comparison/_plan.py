"""What is to be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sensorium.baselines import NONE
from sensorium.comparison._result import Kind
from sensorium.config import Choice
from sensorium.errors import ConfigError, SensoriumError, UnknownNameError, raise_together
from sensorium.experiment import Experiment, Variant
from sensorium.registry import baselines, fusions

ALL = "all"
USUAL = ("attention", "concat", "gated", "late", "low_rank", "weighted_sum")  # one of each kind, all of them quick


@dataclass(frozen=True)
class Candidate:
    """A model to be trained.

    Attributes:
        name: unique; the folder it is saved in.
        kind: see `Result`.
        modalities: towers that it uses.
        variant: of the experiment; baselines have the plain one.
    """

    name: str
    kind: Kind
    modalities: list[str]
    variant: Variant = Variant()

    @property
    def fusion(self) -> str | None:
        return self.variant.fusion.name if self.variant.fusion else None


def plan_candidates(
    experiment: Experiment, chosen: Sequence[str] | None, classical: Sequence[str]
) -> dict[str, Candidate]:
    """Name → model: every single modality, the fusions (`USUAL` by default, `["all"]`), the baselines.

    Raises:
        ConfigError: one modality only, or no validation or test rows.
        UnknownNameError: there is no such fusion.
    """
    towers = [tower.name for tower in experiment.blueprint.towers]
    _check(experiment, towers)
    names = USUAL if chosen is None else fusions.names() if list(chosen) == [ALL] else chosen
    singles = [Candidate(name, "single", [name], Variant([name])) for name in towers]
    fused = [
        Candidate(_unique(name, "fusion", towers), "fusion", towers, Variant(None, _choice(experiment, name)))
        for name in dict.fromkeys(names)
    ]
    taken = [*towers, *(candidate.name for candidate in fused)]
    others = [Candidate(_unique(name, "baseline", taken), "baseline", towers) for name in classical]
    return {candidate.name: candidate for candidate in [*singles, *fused, *others]}


def check_names(chosen: Sequence[str] | None, classical: Sequence[str] | None) -> None:
    """Before anything is read: is there everything that is asked for by name?

    Args:
        chosen, classical: fusions and baselines, as `Asked` has them.

    Raises:
        UnknownNameError: a name is not registered; all such names are told together.
        ConfigError: there is no fusion among what is asked for.
    """
    if chosen is not None and not list(chosen):
        raise ConfigError("no fusion to compare", place="fusions", rule="1 or more")
    faults = list[SensoriumError]()
    for registry, asked, word in ((fusions, chosen, ALL), (baselines, classical, NONE)):
        for name in [] if asked is None or list(asked) == [word] else asked:
            try:
                registry.entry(name)
            except UnknownNameError as error:
                faults.append(error)
    raise_together(faults)


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


def _unique(name: str, kind: str, taken: Sequence[str]) -> str:
    return f"{name} ({kind})" if name in taken else name


def _choice(experiment: Experiment, fusion: str) -> Choice:
    """The settings' own options where it is the fusion that they name."""
    fusions.entry(fusion)
    chosen = experiment.config.fusion
    return chosen if chosen.name == fusion else Choice.of(fusion)
