"""Every modality answers by itself as well: none can rest while another one does the work."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from sensorium.model import Tower
from sensorium.techniques._base import Course, Step, Technique


class Auxiliary(Technique):
    """`loss + λ · mean over modalities of L(head_m(x_m))`, x_m a modality's pooled tokens, on the rows that have it.

    Unimodal losses beside the joint one are the common ground of remedies for modality imbalance (Wang et al. 2020,
    "What Makes Training Multi-Modal Classification Networks Hard?", arXiv:1905.12681, with weights of their own).

    Args:
        course: the run.
        weight: λ.
    """

    joint = True

    def __init__(self, course: Course, *, weight: Annotated[float, Field(gt=0)] = 0.5) -> None:
        super().__init__(course)
        self.weight = weight
        outputs = course.task.outputs
        towers = course.model.every_tower
        device = next(course.model.parameters()).device
        self.heads = nn.ModuleList(nn.Linear(_width(tower), outputs) for tower in towers).to(device)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        losses = []
        for place, head in enumerate(self.heads):
            there = step.present[:, place]
            if there.any():
                logits = head(step.tokens[place].pooled()[there])
                losses.append(self.course.task.loss(logits, step.target[there]))
        return loss + self.weight * torch.stack(losses).mean() if losses else loss


def _width(tower: Tower) -> int:
    """Numbers of a tower's pooled tokens."""
    return int(getattr(tower.project, "out_features", tower.encoder.width))
