"""A model learns from the answers of another: a larger one, or one that sees more modalities."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from sensorium.config import Share
from sensorium.techniques._base import Course, Step, Technique

TASKS = ("binary", "multiclass", "multilabel", "regression")
LEAST = 1e-7  # a teacher's probability is taken to be no nearer to 0 or 1


class Distillation(Technique):
    """`(1 − λ) · loss + λ · T² · KL(p_teacher ‖ p)`, both sides made softer by the temperature T.

    Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network" (arXiv:1503.02531). Of labels that are
    yes or no, the mean of their divergences; an amount is learnt from the teacher's like from a label.

    Args:
        course: the run; `train.teacher` names the teacher.
        weight: λ.
        temperature: T.
    """

    learns_from_teacher = True

    def __init__(
        self, course: Course, *, weight: Share = 0.7, temperature: Annotated[float, Field(gt=0)] = 2.0
    ) -> None:
        super().__init__(course)
        assert course.teacher_scores is not None
        self.weight, self.temperature = weight, temperature
        self._classes = course.target.ndim == 1 and course.task.outputs > 1
        # A plain attribute: it does not change in training, so that no checkpoint need hold it.
        teacher_scores = (
            course.teacher_scores[:, 1:]
            if course.task.outputs == 1 and course.teacher_scores.ndim == 2
            else course.teacher_scores
        )
        self._teacher_scores = torch.as_tensor(teacher_scores, device=next(course.model.parameters()).device)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        teacher_scores = self._teacher_scores[step.batch.rows]
        if teacher_scores.dim() == 1:
            own = self.course.task.loss(step.logits, teacher_scores)
        else:
            soft = _logits(teacher_scores, self._classes).to(step.logits.dtype) / self.temperature
            own = self.temperature**2 * divergence(soft, step.logits / self.temperature, self._classes)
        return (1 - self.weight) * loss + self.weight * own


def divergence(teacher_scores: Tensor, logits: Tensor, classes: bool) -> Tensor:
    """The mean over rows of KL(taught ‖ answered) from logits [b, k]: of classes, else of each label's yes and no."""
    if classes:
        return functional.kl_div(
            logits.log_softmax(1), teacher_scores.log_softmax(1), reduction="batchmean", log_target=True
        )
    yes = teacher_scores.sigmoid() * (functional.logsigmoid(teacher_scores) - functional.logsigmoid(logits))
    no = (-teacher_scores).sigmoid() * (functional.logsigmoid(-teacher_scores) - functional.logsigmoid(-logits))
    return (yes + no).mean()


def _logits(scores: Tensor, classes: bool) -> Tensor:
    """Of a teacher's probabilities; those of classes up to a constant."""
    known = scores.clamp(LEAST, 1 - LEAST)
    return known.log() if classes else known.logit()
