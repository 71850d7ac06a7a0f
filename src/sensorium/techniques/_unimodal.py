"""Predictions from one modality, by the fused model or by a separate head, and scores of modalities."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.model import FusionModel
from sensorium.techniques._base import Step
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._heads import tower_width


def unimodal_logits(model: FusionModel, step: Step, modality: int) -> Float[Tensor, "b k"]:
    """Return the logits of the fused model given one modality; undefined for rows without it."""
    only = torch.zeros_like(step.present)
    only[:, modality] = step.present[:, modality]
    return model.decide(step.tokens, only)


def unimodal_heads(context: TrainingContext) -> nn.ModuleList:
    """Make a linear head for the pooled tokens of each modality."""
    outputs, towers = context.task.outputs, context.model.every_tower
    device = next(context.model.parameters()).device
    return nn.ModuleList(nn.Linear(tower_width(tower), outputs) for tower in towers).to(device)


def unimodal_predictions(
    heads: nn.ModuleList, step: Step
) -> Iterator[tuple[int, Float[Tensor, "n k"], Bool[Tensor, " b"]]]:
    """Yield modality index, logits of its head for the n rows that have it, and the mask of these rows."""
    for place, head in enumerate(heads):
        there = step.present[:, place]
        if there.any():
            yield place, head(step.tokens[place].pooled()[there]), there


def probability_of_truth(logits: Float[Tensor, "b k"], target: Tensor) -> Float[Tensor, " b"]:
    """Return the probability of the true class, or its mean over the labels of a row."""
    if target.is_floating_point():
        yes = logits.sigmoid()
        return torch.where(target > 0.5, yes, 1 - yes).mean(1)
    if logits.shape[1] == 1:
        yes = logits[:, 0].sigmoid()
        return torch.where(target > 0, yes, 1 - yes)
    return logits.softmax(1).gather(1, target[:, None])[:, 0]


def confidence(logits: Float[Tensor, "b k"], labels: bool) -> Float[Tensor, " b"]:
    """Return the largest probability; with `labels`, the mean over the labels of the larger of p and 1 − p."""
    if labels or logits.shape[1] == 1:
        yes = logits.sigmoid()
        return torch.maximum(yes, 1 - yes).mean(1)
    return logits.softmax(1).amax(1)


def score_of_others(scores: Float[Tensor, " m"]) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"], Bool[Tensor, " m"]]:
    """Compare each modality with the others that have a score.

    Args:
        scores: NaN for modalities without a score.

    Returns:
        The scores with 0 for NaN, the mean scores of the others, and whether both exist.
    """
    known = scores.isfinite()
    own = scores.nan_to_num(0.0)
    others = (own.sum() - own) / (known.sum() - known.long()).clamp_min(1)
    return own, others, known & (known.sum() > 1)


def by_tower(context: TrainingContext, values: Tensor, *more: str) -> dict[str, float]:
    """Return tower → value for a report; `more` names the values after those of the towers."""
    names = [*(tower.name for tower in context.model.every_tower), *more]
    return {name: round(value, 4) for name, value in zip(names, values.tolist(), strict=True)}
