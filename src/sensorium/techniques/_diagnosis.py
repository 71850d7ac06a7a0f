"""What the signs of modality imbalance say, in plain words; every threshold is named here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sensorium.metrics import lower_is_better
from sensorium.registry import techniques

UNEVEN = 0.5  # share of the leading modality's skill below which another one is behind
USELESS = 0.05  # skill below which even the leading modality shows nothing
OVERFITS = 1.0  # ΔO/ΔG from which on a modality's answers lose on other rows as much as they gain
ASK = "; --check-imbalance trains each modality alone and shows whether it is undertrained"
GAP = 0.05  # skill that a modality must have more when it is trained alone to be called undertrained


@dataclass(frozen=True)
class Signs:
    """Of one modality in a fused model, in units of the watched metric unless said.

    Attributes:
        alone, alone_train: given it alone, on the rows that judge and on training rows.
        without: given all the others.
        probe: a linear probe of its tokens.
        overfit_ratio: ΔO/ΔG of its answers alone.
        gradient_norm: of its tower, the mean over steps.
    """

    alone: float
    alone_train: float
    without: float
    probe: float
    overfit_ratio: float
    gradient_norm: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Diagnosis:
    """What is said of a model.

    Attributes:
        state: of one run alone `even`, `uneven` (one is far behind) or `nothing` (no modality shows anything); once
            each was trained alone `undertrained` (one did better so), `weak` (behind both ways) or `balanced`.
        leads: the modality with the most skill alone.
        behind: those that are.
        words: the finding and what to do.
        mitigations: techniques to try.
    """

    state: str
    leads: str
    behind: list[str]
    words: str
    mitigations: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def skill(value: float, chance: float, lower: bool) -> float:
    """0 by chance, 1 where perfect, whatever the metric's direction; NaN, not defined, shows no skill."""
    most = chance if lower else 1 - chance
    gain = chance - value if lower else value - chance
    return gain / most if math.isfinite(gain) and most > 0 else 0.0


def diagnose(signs: Mapping[str, Signs], chance: float, *, metric: str, task: str) -> Diagnosis:
    """From one run alone: is a modality far behind the one that leads?

    Whether it is undertrained or weak by nature one run can't tell, nor that one which is not far behind could not be
    much better: training each alone shows that (`sensorium.strategies.imbalance`).

    Args:
        signs: of each modality.
        chance: the metric of the training rows' average.
        metric: registered name.
        task: registered name, for the mitigations that suit it.
    """
    skills = {name: skill(sign.alone, chance, lower_is_better(metric)) for name, sign in signs.items()}
    leads = max(skills, key=lambda name: skills[name])
    if skills[leads] < USELESS:
        words = f"no modality alone is better than chance ({chance:.3g} {metric}) in the fused model{ASK}"
        return Diagnosis("nothing", leads, [], words, [])
    behind = [name for name in signs if name != leads and skills[name] < UNEVEN * skills[leads]]
    if not behind:
        words = f"even: alone in the fused model, no modality has less than half the skill of {leads!r}"
        return Diagnosis("even", leads, [], words + _overfitting(signs) + ASK, [])
    found = ", ".join(f"{name!r} to {signs[name].alone:.3g}" for name in behind)
    words = (
        f"{leads!r} leads: alone in the fused model it comes to {signs[leads].alone:.3g} {metric}, {found} (chance "
        f"{chance:.3g})"
    )
    return Diagnosis("uneven", leads, behind, words + _overfitting(signs) + ASK, mitigations_for(task))


def mitigations_for(task: str) -> list[str]:
    """Techniques that say `MITIGATES_IMBALANCE = True` and suit the task."""
    return [
        name
        for name, entry in techniques.entries.items()
        if entry.literal("MITIGATES_IMBALANCE", False) and task in (entry.literal("TASKS") or [task])
    ]


def _overfitting(signs: Mapping[str, Signs]) -> str:
    found: Sequence[str] = [
        f"{name!r} ({sign.overfit_ratio:.2g})" for name, sign in signs.items() if sign.overfit_ratio > OVERFITS
    ]
    return f"; overfits more than it generalises: {', '.join(found)}" if found else ""
