"""Predict a hidden modality from the others: self-supervised."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._heads import fused_width, projection, tower_width

SMALL = 1e-4  # added to a variance before the square root


class Masked(Technique):
    """`loss + λ · mean over modalities m of [ |p_m − t_m|² + ν · V + κ · C ]`, over the rows that have m and another.

    t_m is the projection of the pooled tokens of modality m, p_m a projection of the fusion of the other modalities of
    the row. V is a hinge loss that keeps the standard deviation of each dimension over the batch at 1 or more, C the
    squared covariances of different dimensions, both for t and p: without these terms, all vectors would collapse to
    one. The terms are those of VICReg (Bardes, Ponce and LeCun 2021, arXiv:2105.04906); a hidden part as the target is
    the idea of data2vec (Baevski et al. 2022, arXiv:2202.03555).

    Args:
        context: of the training.
        weight: weight λ of the prediction loss.
        width: width of the compared vectors.
        variance: weight ν of the variance term, which keeps vectors apart.
        covariance: weight κ of the covariance term, which decorrelates dimensions.
        stop_gradient: whether to stop the gradient at the targets: the hidden tower then learns from variance and
            covariance only.
    """

    joint = True
    self_supervised = True

    def __init__(
        self,
        context: TrainingContext,
        *,
        weight: Annotated[float, Field(gt=0)] = 1.0,
        width: PositiveInt = 64,
        variance: Annotated[float, Field(ge=0)] = 1.0,
        covariance: Annotated[float, Field(ge=0)] = 0.04,
        stop_gradient: bool = False,
    ) -> None:
        super().__init__(context)
        self.weight, self.variance, self.covariance, self.stop_gradient = weight, variance, covariance, stop_gradient
        towers, fused = context.model.every_tower, fused_width(context.model)
        self.targets = nn.ModuleList(projection(tower_width(tower), width) for tower in towers)
        self.predictors = nn.ModuleList(projection(fused, width) for _ in towers)
        self.to(next(context.model.parameters()).device)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        losses = []
        for place in range(len(self.targets)):
            there = step.present[:, place] & (step.present.sum(1) > 1)
            if there.sum() > 1:  # a single row has no standard deviation
                losses.append(self._predict(step, place, there))
        return loss + self.weight * torch.stack(losses).mean() if losses else loss

    def _predict(self, step: Step, place: int, there: Tensor) -> Tensor:
        rest = step.present.clone()
        rest[:, place] = ~there & rest[:, place]
        fused = self.context.model.fusion(list(step.tokens), rest)[there]
        target = self.targets[place](step.tokens[place].pooled()[there])
        predicted = self.predictors[place](fused)
        near = functional.mse_loss(predicted, target.detach() if self.stop_gradient else target)
        spread = (variance_term(target) + variance_term(predicted)) / 2
        return near + self.variance * spread + self.covariance * (covariance_term(target) + covariance_term(predicted))


def variance_term(vectors: Float[Tensor, "n d"]) -> Tensor:
    """Return the mean over the d dimensions of max(0, 1 − standard deviation over the rows)."""
    return functional.relu(1 - (vectors.var(0) + SMALL).sqrt()).mean()


def covariance_term(vectors: Float[Tensor, "n d"]) -> Tensor:
    """Return the sum of the squared covariances of different dimensions, divided by d."""
    centred = vectors - vectors.mean(0)
    covariance = centred.T @ centred / (len(vectors) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / vectors.shape[1]
