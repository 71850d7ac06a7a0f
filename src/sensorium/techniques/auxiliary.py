"""Auxiliary unimodal losses: every modality also predicts the label alone."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._unimodal import unimodal_heads, unimodal_predictions

MITIGATES_IMBALANCE = True


class Auxiliary(Technique):
    """`loss + λ · mean over modalities of L(head_m(x_m))`, x_m the pooled tokens of m, over the rows that have m.

    Many mitigations of modality imbalance add unimodal losses to the joint one (for example Wang et al. 2020, "What
    Makes Training Multi-Modal Classification Networks Hard?", arXiv:1905.12681, with learned weights).

    Args:
        context: context of the training.
        weight: weight λ of the unimodal losses.
    """

    joint = True

    def __init__(self, context: TrainingContext, *, weight: Annotated[float, Field(gt=0)] = 0.5) -> None:
        super().__init__(context)
        self.weight = weight
        self.heads = unimodal_heads(context)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        answers = unimodal_predictions(self.heads, step)
        losses = [self.context.task.loss(logits, step.target[there]) for _, logits, there in answers]
        return loss + self.weight * torch.stack(losses).mean() if losses else loss
