"""Knowledge distillation: learn from the predictions of a teacher, such as a larger or more multimodal model."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from sensorium.config import Share
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext

TASKS = ("class logits", "an amount")
LEAST = 1e-7  # probabilities of a teacher are clipped to this distance from 0 and 1


class Distillation(Technique):
    """Distillation: `(1 − λ) · loss + λ · T² · KL(p_teacher ‖ p)`, both softened by the temperature T.

    Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network" (arXiv:1503.02531). For multilabel
    targets, the divergences of the labels are averaged. For amounts, the prediction of the teacher is the label.

    Args:
        context: context of the training; `train.teacher` names the teacher.
        weight: weight λ of the teacher's predictions in the loss.
        temperature: temperature T that softens the predictions of both models.
    """

    learns_from_teacher = True

    def __init__(
        self, context: TrainingContext, *, weight: Share = 0.7, temperature: Annotated[float, Field(gt=0)] = 2.0
    ) -> None:
        super().__init__(context)
        assert context.teacher_scores is not None
        self.weight, self.temperature = weight, temperature
        self._classes = context.target.ndim == 1 and context.task.outputs > 1
        # A plain attribute: it does not change in training, so it need not be in a checkpoint.
        teacher_scores = (
            context.teacher_scores[:, 1:]
            if context.task.outputs == 1 and context.teacher_scores.ndim == 2
            else context.teacher_scores
        )
        self._teacher_scores = torch.as_tensor(teacher_scores, device=next(context.model.parameters()).device)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        teacher_scores = self._teacher_scores[step.batch.rows]
        if teacher_scores.dim() == 1:
            own = self.context.task.loss(step.logits, teacher_scores)
        else:
            soft = _logits(teacher_scores, self._classes).to(step.logits.dtype) / self.temperature
            own = self.temperature**2 * divergence(soft, step.logits / self.temperature, self._classes)
        return (1 - self.weight) * loss + self.weight * own


def divergence(teacher_scores: Tensor, logits: Tensor, classes: bool) -> Tensor:
    """Return the mean over rows of KL(teacher ‖ model) from logits [b, k], over classes or over each binary label."""
    if classes:
        return functional.kl_div(
            logits.log_softmax(1), teacher_scores.log_softmax(1), reduction="batchmean", log_target=True
        )
    yes = teacher_scores.sigmoid() * (functional.logsigmoid(teacher_scores) - functional.logsigmoid(logits))
    no = (-teacher_scores).sigmoid() * (functional.logsigmoid(-teacher_scores) - functional.logsigmoid(-logits))
    return (yes + no).mean()


def _logits(scores: Tensor, classes: bool) -> Tensor:
    """Return logits from the probabilities of a teacher; those of classes up to a constant."""
    known = scores.clamp(LEAST, 1 - LEAST)
    return known.log() if classes else known.logit()
