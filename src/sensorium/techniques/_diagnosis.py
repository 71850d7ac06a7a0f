"""Diagnose modality imbalance from its signs; every threshold is named here."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sensorium.metrics import lower_is_better
from sensorium.model.card import Diagnosis, ModalitySigns
from sensorium.registry import techniques
from sensorium.registry.traits import suits

UNEVEN = 0.5  # share of the leading modality's skill; below it, another one is behind
USELESS = 0.05  # skill below which even the leading modality shows nothing
OVERFITS = 1.0  # ΔO/ΔG above which a modality overfits more than it generalizes
GAP = 0.05  # skill that a modality must gain when it is trained alone to be called undertrained


def skill(value: float, chance: float, lower: bool) -> float:
    """Scale a metric of any direction to 0 for chance and 1 for perfect; 0 if it is not defined."""
    most = chance if lower else 1 - chance
    gain = chance - value if lower else value - chance
    return gain / most if math.isfinite(gain) and most > 0 else 0.0


def diagnose(signs: Mapping[str, ModalitySigns], chance: float, *, metric: str, task: str) -> Diagnosis:
    """Find modalities that are far behind the leading one, from a single training.

    A single training does not show whether a weak modality is undertrained or uninformative, nor whether another
    modality could be much better. Training each modality alone shows both (`sensorium.strategies.imbalance`).

    Args:
        signs: signs of each modality.
        chance: metric of predicting the average of the training rows.
        metric: registered name.
        task: registered name; the mitigations must support it.
    """
    skills = {name: skill(sign.alone, chance, lower_is_better(metric)) for name, sign in signs.items()}
    leads = max(skills, key=lambda name: skills[name])
    if skills[leads] < USELESS:
        return Diagnosis(state="nothing", leads=leads)
    overfitting = [name for name, sign in signs.items() if sign.overfit_ratio > OVERFITS]
    behind = [name for name in signs if name != leads and skills[name] < UNEVEN * skills[leads]]
    if not behind:
        return Diagnosis(state="even", leads=leads, overfitting=overfitting)
    return Diagnosis(
        state="uneven", leads=leads, behind=behind, overfitting=overfitting, mitigations=mitigations_for(task)
    )


def mitigations_for(task: str) -> list[str]:
    """List the techniques that declare `MITIGATES_IMBALANCE = True` and support the task."""
    return [
        name
        for name, entry in techniques.entries.items()
        if entry.literal("MITIGATES_IMBALANCE", False) and suits(entry.literal("TASKS"), task)
    ]
