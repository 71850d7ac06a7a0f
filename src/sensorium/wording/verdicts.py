"""Sentences about the verdict of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensorium.wording._say import gains_or_loses, say

if TYPE_CHECKING:
    from sensorium.evaluate.verdict import BlendComparison, ModelName, Unbeaten, Verdict


def model_title(model: ModelName) -> str:
    """Return the title of a model in sentences: `text alone`, `gated fusion`, `the blend`."""
    return say(f"title.{model.kind}", name=model.name)


def verdict_sentence(found: Verdict) -> str:
    """Return short sentences: whether fusing helped, and which model to use. Each has one model of reference."""
    sentence = _kind(found)
    if found.needs_the_rule:
        sentence = say("verdict.uncorrected", sentence=sentence, p=found.p_corrected)
    if found.unbeaten:
        sentence = _unbeaten(found, found.unbeaten, sentence)
        chosen = _chosen_modality(found)
        if chosen and chosen != found.unbeaten.model:
            sentence = say("verdict.chosen", sentence=sentence, other=model_title(chosen))
    if found.quicker:
        quicker, gain = found.quicker, gains_or_loses(found.quicker.difference, model_title(found.fused))
        speed = _speed(1 / quicker.speedup)
        other = model_title(quicker.model)
        sentence = say("verdict.quicker", sentence=sentence, other=other, speed=speed, gain=gain)
    if found.better:
        other = model_title(found.better.model)
        gain = gains_or_loses(found.better.difference, model_title(found.better.than))
        sentence = say("verdict.baseline", sentence=sentence, other=other, gain=gain)
    if found.blend and not found.blend.difference.undefined:
        sentence = _blend(found.blend, sentence)
    if found.kind in ("does_not_help", "hurts") or found.recommended.kind == "blend":
        sentence = say("verdict.use", sentence=sentence, recommended=model_title(found.recommended))
    sentence = say("verdict.seeds", sentence=sentence, seeds=found.seeds) if found.seeds > 1 else sentence
    if not found.folds:
        return sentence
    if found.repeats == 1:
        return say("verdict.folds", sentence=sentence, folds=found.folds)
    return say("verdict.repeats", sentence=sentence, folds=found.folds, repeats=found.repeats)


def _unbeaten(found: Verdict, unbeaten: Unbeaten, sentence: str) -> str:
    """Add why the fused model is not shown to beat a modality: its interval, or only its corrected p-value."""
    other, difference = model_title(unbeaten.model), unbeaten.difference
    if difference.helps:
        p = min(1.0, difference.p * found.choices)
        return say("verdict.corrected", sentence=sentence, other=other, choices=found.choices, p=p)
    return say("verdict.unbeaten", sentence=sentence, gain=gains_or_loses(difference, other))


def _blend(found: BlendComparison, sentence: str) -> str:
    """Add how the blend does beside the model that is recommended without it."""
    key = "blend" if found.recommended else "blend_worse" if found.worse else "blend_not_better"
    return say(f"verdict.{key}", sentence=sentence, gain=gains_or_loses(found.difference, model_title(found.than)))


def _chosen_modality(found: Verdict) -> ModelName | None:
    """Return the modality that is recommended, or that the recommended baseline or blend is compared with."""
    models = [found.recommended, *(each.than for each in (found.better, found.blend) if each)]
    return next((model for model in models if model.kind == "single"), None)


def _kind(found: Verdict) -> str:
    fused, single = model_title(found.fused), model_title(found.single)
    gain, speed = gains_or_loses(found.difference, single), _speed(found.slowdown)
    metric = found.difference.metric
    return say(f"verdict.{found.kind}", fused=fused, single=single, gain=gain, speed=speed, metric=metric)


def _speed(slowdown: float) -> str:
    """Compare training times."""
    return say("slower", times=slowdown) if slowdown >= 1 else say("faster", times=1 / slowdown)
