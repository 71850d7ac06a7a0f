"""Several targets, each weighted by how sure the model can be of it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sensorium.tasks.several import Several
from sensorium.techniques._base import Course, Step, Technique

TASKS = ("several",)


class Uncertainty(Technique):
    """The mean of c·exp(−s)·L + s/2 over the targets instead of that of their losses L; s = log σ² is learnt.

    c is 1 for classes and labels, ½ for values, as a Gaussian's likelihood has it. Kendall, Gal and Cipolla 2018,
    "Multi-Task Learning Using Uncertainty to Weigh Losses" (arXiv:1705.07115).
    """

    factor: Tensor

    def __init__(self, course: Course) -> None:
        super().__init__(course)
        assert isinstance(course.task, Several)
        self.task = course.task
        halves = [1.0 if part.labels else 0.5 for part in self.task.parts.values()]
        self.register_buffer("factor", torch.tensor(halves))
        self.log_variance = nn.Parameter(torch.zeros(len(halves)))

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        losses = torch.stack(self.task.losses(step.logits, step.target))
        weighted = self.factor * (-self.log_variance).exp() * losses + 0.5 * self.log_variance
        return loss - losses.mean() + weighted.mean()

    def report(self) -> dict[str, Any]:
        """Target → the weight that its loss ended with."""
        weights = (self.factor * (-self.log_variance).exp()).tolist()
        return {"weights": dict(zip(self.task.parts, map(float, weights), strict=True))}
