"""Every modality answers by itself as well: none can rest while another one does the work."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from sensorium.techniques._alone import own_heads, own_logits
from sensorium.techniques._base import Course, Step, Technique

MITIGATES_IMBALANCE = True


class Auxiliary(Technique):
    """`loss + λ · mean over modalities of L(head_m(x_m))`, x_m a modality's pooled tokens, on the rows that have it.

    Unimodal losses beside the joint one are the common ground of mitigations of modality imbalance (Wang et al. 2020,
    "What Makes Training Multi-Modal Classification Networks Hard?", arXiv:1905.12681, with weights of their own).

    Args:
        course: the run.
        weight: λ.
    """

    joint = True

    def __init__(self, course: Course, *, weight: Annotated[float, Field(gt=0)] = 0.5) -> None:
        super().__init__(course)
        self.weight = weight
        self.heads = own_heads(course)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        answers = own_logits(self.heads, step)
        losses = [self.course.task.loss(logits, step.target[there]) for _, logits, there in answers]
        return loss + self.weight * torch.stack(losses).mean() if losses else loss
