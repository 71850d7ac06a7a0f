"""Confidence ranking: penalise higher confidence after a modality is removed."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._unimodal import confidence

TASKS = ("class logits",)


class Ranking(Technique):
    """Confidence ranking: `loss + λ · mean of max(0, conf(without m) − conf(with m))`, one random modality m per row.

    conf is the largest predicted probability. Ma et al. 2023, "Calibrating Multimodal Learning" (arXiv:2306.01265).

    Args:
        context: of the training.
        weight: weight λ of the ranking loss.
    """

    joint = True

    def __init__(self, context: TrainingContext, *, weight: Annotated[float, Field(gt=0)] = 1.0) -> None:
        super().__init__(context)
        self.weight = weight

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        several = step.present.sum(1) > 1
        if not several.any():
            return loss
        luck = torch.rand(step.present.shape, generator=step.random, device=step.present.device)
        drawn = luck.masked_fill(~step.present, -1).argmax(1, keepdim=True)
        fewer = step.present.scatter(1, drawn, False) | ~several[:, None] & step.present
        labels = step.target.is_floating_point()
        before, after = (confidence(logits, labels) for logits in (step.logits, self._again(step, fewer)))
        return loss + self.weight * functional.relu(after - before)[several].mean()

    def _again(self, step: Step, present: Tensor) -> Tensor:
        return self.context.model.decide(step.tokens, present)
