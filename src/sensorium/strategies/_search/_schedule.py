"""Decide how many candidates are trained for how many epochs within the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ETA = 3  # one candidate in ETA reaches the next rung, with ETA times the epochs
SHARE = 0.4  # of the time that goes to rungs; the rest trains what they chose to the end
MOST = 81  # candidates
LEAST = 2.0  # epochs of a whole model, below which there is nothing to schedule


@dataclass(frozen=True)
class Rung:
    """Number of candidates of a rung, and the epochs that each is trained for."""

    candidates: int
    epochs: int


@dataclass(frozen=True)
class Schedule:
    """Rungs of successive halving, and the epochs of the final trainings."""

    rungs: list[Rung]
    final: int

    def to_json(self) -> dict[str, Any]:
        return {"rungs": [[rung.candidates, rung.epochs] for rung in self.rungs], "final": self.final}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Schedule:
        return cls([Rung(*rung) for rung in content["rungs"]], content["final"])


def make_schedule(affordable: float, wanted: int) -> Schedule:
    """Schedule successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943) within a total number of epochs.

    Each rung takes the same share of the time, with a third of the candidates and three times the epochs of the rung
    before. With n rungs, the first has at least 3ⁿ candidates (Li et al. 2017, arXiv:1603.06560).

    Args:
        affordable: number of epochs of a whole model that fit into the budget.
        wanted: number of epochs of a plain fit.
    """
    final = max(1, min(wanted, int(affordable * (1 - SHARE))))
    rest = affordable - final if final < wanted else affordable * SHARE
    for depth in range(_power(final), 0, -1):
        shortest = max(1, final // ETA**depth)
        candidates = min(MOST, int(rest / depth / shortest))
        if candidates >= ETA**depth:
            return Schedule(_rungs(candidates, shortest, depth), final)
    candidates = min(int(rest), ETA)
    if candidates < 2 or final < 2:
        return Schedule([], final)
    return Schedule([Rung(candidates, max(1, min(int(rest / candidates), final // ETA)))], final)


def _power(epochs: int) -> int:
    """Return the largest n with ETAⁿ ≤ epochs, in whole numbers: the logarithm of 243 to base 3 is rounded below 5."""
    power = 0
    while ETA ** (power + 1) <= epochs:
        power += 1
    return power


def _rungs(candidates: int, shortest: int, depth: int) -> list[Rung]:
    return [Rung(max(1, candidates // ETA**level), shortest * ETA**level) for level in range(depth)]
