"""Sentences about a blend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sensorium.wording._say import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensorium.model.card import BlendCandidate, BlendRecord


def blend_sentence(found: BlendRecord) -> str:
    """Return the members of a blend with their weights, and how it does beside them on rows that they did not see.

    The sentence says which choices were made by other rows than those of the figure, and which by the same.
    """
    members = sorted((each for each in found.candidates if each.weight), key=lambda each: -each.weight)
    sentence = _single(found, members[0]) if len(members) == 1 else _several(found, members)
    if not found.modality:
        return sentence
    return say(
        "blend.modality",
        sentence=sentence,
        name=found.modality,
        metric=_metric(found),
        alone=found.alone[found.modality],
        together=found.together,
    )


def _several(found: BlendRecord, members: Sequence[BlendCandidate]) -> str:
    best = min(found.candidates, key=lambda each: each.value)
    return say(
        "blend.members",
        members=", ".join(say("blend.member", name=each.name, weight=each.weight) for each in members),
        metric=_metric(found),
        value=found.value,
        judged=found.judged,
        how=found.how,
        single=say("blend.single", value=found.single) if math.isfinite(found.single) else "",
        best=best.name,
        alone=best.value,
    )


def _single(found: BlendRecord, member: BlendCandidate) -> str:
    names = [say("blend.other", name=each.name, value=each.value) for each in found.candidates if each is not member]
    key = "blend.same" if math.isclose(found.value, member.value) else "blend.others"
    return say(
        "blend.one",
        name=member.name,
        metric=_metric(found),
        value=found.value,
        judged=found.judged,
        how=found.how,
        others=say(key, own=member.value, others=", ".join(names)) if names else "",
    )


def _metric(found: BlendRecord) -> str:
    return found.metric.replace("_", " ")
