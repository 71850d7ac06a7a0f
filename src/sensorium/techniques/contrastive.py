"""Contrastive learning between the modalities of a row (CLIP): self-supervised."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._heads import projection, tower_width

SHARPEST = 100.0  # largest factor of the cosines


class Contrastive(Technique):
    """`loss + λ · mean over pairs of modalities of InfoNCE`, over the rows of a batch that have both of a pair.

    The pooled tokens of each modality go through a projection head to vectors of length 1. The loss is a
    classification, in both directions: which vector of the batch belongs to the same row, judged by cosine similarity
    over a learned temperature. CLIP: Radford et al. 2021, arXiv:2103.00020. In decision-level fusion, the logits of the
    towers are compared.

    Args:
        context: of the training.
        weight: weight λ of the contrastive loss.
        width: width of the compared vectors.
        temperature: initial temperature.
    """

    joint = True
    self_supervised = True

    def __init__(
        self,
        context: TrainingContext,
        *,
        weight: Annotated[float, Field(gt=0)] = 1.0,
        width: PositiveInt = 64,
        temperature: Annotated[float, Field(ge=0.01)] = 0.1,
    ) -> None:
        super().__init__(context)
        self.weight = weight
        towers = context.model.every_tower
        self.heads = nn.ModuleList(projection(tower_width(tower), width) for tower in towers)
        self.log_scale = nn.Parameter(torch.tensor(1 / temperature).log())
        self.to(next(context.model.parameters()).device)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        vectors = [head(tokens.pooled()) for head, tokens in zip(self.heads, step.tokens, strict=True)]
        losses = []
        for one, other in combinations(range(len(vectors)), 2):
            both = step.present[:, one] & step.present[:, other]
            if both.sum() > 1:  # a single row has no negatives
                losses.append(info_nce(vectors[one][both], vectors[other][both], self._scale()))
        return loss + self.weight * torch.stack(losses).mean() if losses else loss

    def report(self) -> dict[str, Any]:
        """Return the final temperature."""
        return {"temperature": round(1 / float(self._scale().detach()), 6)}

    def _scale(self) -> Tensor:
        return self.log_scale.exp().clamp_max(SHARPEST)


def info_nce(one: Float[Tensor, "n d"], other: Float[Tensor, "n d"], scale: Tensor) -> Tensor:
    """Return the mean cross-entropy of both directions; row i of one tensor belongs to row i of the other."""
    cosines = functional.normalize(one, dim=1) @ functional.normalize(other, dim=1).T
    own = torch.arange(len(one), device=one.device)
    return (functional.cross_entropy(scale * cosines, own) + functional.cross_entropy(scale * cosines.T, own)) / 2
