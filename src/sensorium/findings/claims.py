"""Choose among the claims that registered members make on a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from sensorium.findings.guess import UNSURE, Guess
from sensorium.registry import Registry

if TYPE_CHECKING:
    from sensorium.table import Column

CERTAIN = 0.995  # confidence from which no runner-up is shown
CLOSE = 0.125  # a runner-up this near is shown too
SURE = 0.95  # confidence from which it does not matter why another member refuses
Flag: TypeAlias = Callable[[str], str]  # a registered name → the flag that chooses it


def best_claim(
    members: Registry, column: Column, flag: Flag, names: Iterable[str] | None = None
) -> tuple[str | None, Guess]:
    """Return the claim of highest confidence among the members' `looks_like`; the name is None if there is no claim.

    Args:
        members: the registry.
        column: the column to claim.
        flag: returns the flag that chooses a member.
        names: the members that are asked; by default all.
    """
    claims: list[tuple[str, Guess]] = []
    for name in members.names() if names is None else names:
        guess: Guess | None = members.load(name).looks_like(column)
        if guess:
            claims.append((name, guess))
    hints = [guess.caution for _, guess in claims if guess.confidence <= 0 and guess.caution]
    claims = sorted((claim for claim in claims if claim[1].confidence > 0), key=lambda claim: -claim[1].confidence)
    if not claims:
        return None, Guess(0.0, "no modality or task recognizes it")
    return _with_doubts(claims, hints, members, flag)


def _with_doubts(
    claims: list[tuple[str, Guess]], hints: list[str], members: Registry, flag: Callable[[str], str]
) -> tuple[str, Guess]:
    """Return the best claim, with a caution if it is not sure: why another modality refused, or who else claims it."""
    name, guess = claims[0]
    near = [other for other, g in claims[1:] if guess.confidence - g.confidence <= CLOSE or guess.confidence < UNSURE]
    others = near if guess.confidence < CERTAIN else []
    if hints and not guess.caution and guess.confidence < SURE:
        return name, Guess(guess.confidence, guess.reason, "; ".join(hints))
    if not guess.caution and (others or guess.confidence < UNSURE):
        alternatives = " or ".join(flag(other) for other in others or [n for n in members.names() if n != name])
        return name, Guess(guess.confidence, guess.reason, f"this is a guess; if it is not {name}: {alternatives}")
    return name, guess
