"""Sentences about a blend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensorium.wording._say import say

if TYPE_CHECKING:
    from sensorium.model.card import BlendCandidate, BlendRecord


def blend_sentence(found: BlendRecord) -> str:
    """Return the members of a blend with their weights, and how it does beside them on rows that they did not see."""
    members = sorted((each for each in found.candidates if each.weight), key=lambda each: -each.weight)
    best = min(found.candidates, key=lambda each: each.value)
    figures = {"metric": found.metric.replace("_", " "), "judged": found.judged, "how": found.how}
    if len(members) == 1:
        sentence = say(
            "blend.one", name=members[0].name, value=found.value, others=_others(found, members[0]), **figures
        )
    else:
        names = ", ".join(say("blend.member", name=each.name, weight=each.weight) for each in members)
        sentence = say("blend.members", members=names, value=found.value, best=best.name, alone=best.value, **figures)
    if not found.modality:
        return sentence
    alone = found.alone[found.modality]
    return say(
        "blend.modality", sentence=sentence, name=found.modality, alone=alone, together=found.together, **figures
    )


def _others(found: BlendRecord, member: BlendCandidate) -> str:
    return ", ".join(
        say("blend.other", name=each.name, value=each.value) for each in found.candidates if each is not member
    )
