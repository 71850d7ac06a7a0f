"""What a fused model answers when it is given fewer modalities than a row has, and what each answers by itself."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.model import FusionModel
from sensorium.techniques._base import Course, Step
from sensorium.techniques._heads import tower_width


def decide_alone(model: FusionModel, step: Step, modality: int) -> Float[Tensor, "b k"]:
    """Logits from one modality; those of rows that don't have it mean nothing."""
    only = torch.zeros_like(step.present)
    only[:, modality] = step.present[:, modality]
    return model.decide(step.tokens, only)


def own_heads(course: Course) -> nn.ModuleList:
    """A linear head for each modality's pooled tokens, freshly initialised."""
    outputs, towers = course.task.outputs, course.model.every_tower
    device = next(course.model.parameters()).device
    return nn.ModuleList(nn.Linear(tower_width(tower), outputs) for tower in towers).to(device)


def own_logits(heads: nn.ModuleList, step: Step) -> Iterator[tuple[int, Float[Tensor, "n k"], Bool[Tensor, " b"]]]:
    """Place of each modality that some row has, what its head answers on those n rows, and which rows they are."""
    for place, head in enumerate(heads):
        there = step.present[:, place]
        if there.any():
            yield place, head(step.tokens[place].pooled()[there]), there


def probability_of_truth(logits: Float[Tensor, "b k"], target: Tensor) -> Float[Tensor, " b"]:
    """Of the right class, or the mean over labels of the right yes or no."""
    if target.is_floating_point():
        yes = logits.sigmoid()
        return torch.where(target > 0.5, yes, 1 - yes).mean(1)
    if logits.shape[1] == 1:
        yes = logits[:, 0].sigmoid()
        return torch.where(target > 0, yes, 1 - yes)
    return logits.softmax(1).gather(1, target[:, None])[:, 0]


def confidence(logits: Float[Tensor, "b k"], labels: bool) -> Float[Tensor, " b"]:
    """The largest probability; with `labels`, the mean over them of the surer of yes and no."""
    if labels or logits.shape[1] == 1:
        yes = logits.sigmoid()
        return torch.maximum(yes, 1 - yes).mean(1)
    return logits.softmax(1).amax(1)
