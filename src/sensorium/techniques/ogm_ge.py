"""OGM-GE: slow down the leading modality by scaling its gradients, so that the others catch up."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._unimodal import by_tower, probability_of_truth, score_of_others, unimodal_logits

TASKS = ("class logits",)
MITIGATES_IMBALANCE = True


class OgmGe(Technique):
    """On-the-fly gradient modulation with generalisation enhancement (Peng et al. 2022, arXiv:2203.15332).

    s_m is the mean probability of the true label if the model gets modality m alone; ρ_m is s_m over the mean s of the
    others. The gradients of the tower of m are multiplied by k_m = 1 − tanh(α · ρ_m) if ρ_m > 1. The paper takes s_m
    from a slice of the head after concatenation; predicting from one modality generalises this to any fusion and any
    number of modalities.

    Args:
        context: of the training.
        alpha: α; a larger value slows the leading modality down more.
        noise: whether to add Gaussian noise, with the standard deviation of the gradient, to scaled gradients.
        until: fraction of the epochs in which it is applied.
    """

    joint = True
    steps: Tensor
    total: Tensor

    def __init__(
        self,
        context: TrainingContext,
        *,
        alpha: Annotated[float, Field(gt=0)] = 0.5,
        noise: bool = True,
        until: Annotated[float, Field(gt=0, le=1)] = 1.0,
    ) -> None:
        super().__init__(context)
        self.alpha, self.noise, self.until = alpha, noise, until
        device = next(context.model.parameters()).device
        self.register_buffer("steps", torch.zeros((), device=device))
        self.register_buffer("total", torch.zeros(len(context.model.every_tower), device=device))

    def gradients(self, step: Step) -> None:
        if step.epoch > self.until * self.context.epochs:
            return
        factors = coefficients(self._scores(step), self.alpha)
        self.steps += 1
        self.total += factors
        for tower, factor in zip(self.context.model.every_tower, factors, strict=True):
            if factor < 1:
                for parameter in tower.parameters():
                    if parameter.grad is not None:
                        self._slow(parameter.grad, factor, step)

    def report(self) -> dict[str, Any]:
        """Return tower → mean factor of its gradients."""
        return {"factors": by_tower(self.context, self.total / self.steps.clamp_min(1))}

    def _slow(self, gradient: Tensor, factor: Tensor, step: Step) -> None:
        gradient *= factor
        if self.noise and gradient.numel() > 1:
            drawn = torch.randn(gradient.shape, generator=step.random, device=gradient.device, dtype=gradient.dtype)
            gradient += drawn * gradient.std()

    @torch.no_grad()
    def _scores(self, step: Step) -> Tensor:
        """Return s_m of each modality, [m]; NaN if no row has it."""
        found = []
        for place in range(len(self.context.model.every_tower)):
            there = step.present[:, place]
            right = probability_of_truth(unimodal_logits(self.context.model, step, place), step.target)
            found.append(right[there].mean())
        return torch.stack(found)


def coefficients(scores: Tensor, alpha: float) -> Tensor:
    """Return the factors k [m] for scores s [m]; a modality without a score has no influence."""
    own, others, compared = score_of_others(scores)
    ratio = own / others.clamp_min(1e-8)
    return torch.where(compared & (ratio > 1), 1 - torch.tanh(alpha * ratio), torch.ones_like(scores))
