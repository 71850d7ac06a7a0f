"""Uncertainty weighting of the losses of several targets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sensorium.tasks import Task, Value
from sensorium.tasks.several import Several
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext

TASKS = ("several",)


class Uncertainty(Technique):
    """Mean of c·exp(−s)·L + s/2 over the targets, instead of the mean of their losses L; s = log σ² is learned.

    c is ½ for amounts, as in the Gaussian likelihood, and 1 for classes, labels and counts. Kendall, Gal and Cipolla
    2018, "Multi-Task Learning Using Uncertainty to Weigh Losses" (arXiv:1705.07115).
    """

    factor: Tensor

    def __init__(self, context: TrainingContext) -> None:
        super().__init__(context)
        assert isinstance(context.task, Several)
        self.task = context.task
        factors = [_factor(part) for part in self.task.parts.values()]
        self.register_buffer("factor", torch.tensor(factors))
        self.log_variance = nn.Parameter(torch.zeros(len(factors)))

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        losses = torch.stack(self.task.losses(step.logits, step.target))
        weighted = self.factor * (-self.log_variance).exp() * losses + 0.5 * self.log_variance
        return loss - losses.mean() + weighted.mean()

    def report(self) -> dict[str, Any]:
        """Return target → final weight of its loss."""
        weights = (self.factor * (-self.log_variance).exp()).tolist()
        return {"weights": dict(zip(self.task.parts, map(float, weights), strict=True))}


def _factor(task: Task) -> float:
    return 0.5 if isinstance(task, Value) and task.distribution == "normal" else 1.0
