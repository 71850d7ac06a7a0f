"""The modality that leads learns more slowly, so that the others have time to learn."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from sensorium.techniques._alone import decide_alone, probability_of_truth
from sensorium.techniques._base import Course, Step, Technique

TASKS = ("binary", "multiclass", "multilabel")
MITIGATES_IMBALANCE = True


class OgmGe(Technique):
    """On-the-fly gradient modulation with generalisation enhancement (Peng et al. 2022, arXiv:2203.15332).

    s_m is the mean probability of the truth when the model is given modality m alone; ρ_m is s_m over the mean of the
    others' s. The gradients of m's tower are multiplied by k_m = 1 − tanh(α · ρ_m) where ρ_m > 1. The paper takes s_m
    from the slice of a concatenation's head; asking the model with one modality present means the same for any fusion
    and any number of modalities.

    Args:
        course: the run.
        alpha: α; the larger, the more the leading one is slowed down.
        noise: give gradients that were slowed down Gaussian noise of their own deviation.
        until: share of the epochs in which it works.
    """

    joint = True
    steps: Tensor
    total: Tensor

    def __init__(
        self,
        course: Course,
        *,
        alpha: Annotated[float, Field(gt=0)] = 0.5,
        noise: bool = True,
        until: Annotated[float, Field(gt=0, le=1)] = 1.0,
    ) -> None:
        super().__init__(course)
        self.alpha, self.noise, self.until = alpha, noise, until
        device = next(course.model.parameters()).device
        self.register_buffer("steps", torch.zeros((), device=device))
        self.register_buffer("total", torch.zeros(len(course.model.every_tower), device=device))

    def gradients(self, step: Step) -> None:
        if step.epoch > self.until * self.course.epochs:
            return
        factors = coefficients(self._scores(step), self.alpha)
        self.steps += 1
        self.total += factors
        for tower, factor in zip(self.course.model.every_tower, factors, strict=True):
            if factor < 1:
                for parameter in tower.parameters():
                    if parameter.grad is not None:
                        self._slow(parameter.grad, factor, step)

    def report(self) -> dict[str, Any]:
        """Tower → the mean factor of its gradients."""
        names = [tower.name for tower in self.course.model.every_tower]
        mean = (self.total / self.steps.clamp_min(1)).tolist()
        return {"factors": {name: round(factor, 4) for name, factor in zip(names, mean, strict=True)}}

    def _slow(self, gradient: Tensor, factor: Tensor, step: Step) -> None:
        gradient *= factor
        if self.noise and gradient.numel() > 1:
            drawn = torch.randn(gradient.shape, generator=step.random, device=gradient.device, dtype=gradient.dtype)
            gradient += drawn * gradient.std()

    @torch.no_grad()
    def _scores(self, step: Step) -> Tensor:
        """s_m of each modality, [m]; NaN where no row has it."""
        found = []
        for place in range(len(self.course.model.every_tower)):
            there = step.present[:, place]
            right = probability_of_truth(decide_alone(self.course.model, step, place), step.target)
            found.append(right[there].mean())
        return torch.stack(found)


def coefficients(scores: Tensor, alpha: float) -> Tensor:
    """The k [m] of scores s [m]; a modality without a score neither slows nor is slowed."""
    known = scores.isfinite()
    filled = scores.nan_to_num(0.0)
    others = (filled.sum() - filled) / (known.sum() - known.long()).clamp_min(1)
    ratio = filled / others.clamp_min(1e-8)
    slowed = known & (known.sum() > 1) & (ratio > 1)
    return torch.where(slowed, 1 - torch.tanh(alpha * ratio), torch.ones_like(scores))
