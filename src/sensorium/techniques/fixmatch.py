"""FixMatch: consistency between confident predictions on unlabelled rows and their strongly augmented views."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from sensorium.config import Probability, Share
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._unlabelled import draw_rows, has_one_of_many, probabilities, ramp_up, settled, strong_view

TASKS = ("class logits",)


class Fixmatch(Technique):
    """`loss + λ(t) · mean of [max p ≥ τ] · H(argmax p, q)`: p predicts for the plain row, q for a strong view of it.

    FixMatch: Sohn et al. 2020, arXiv:2001.07685. The strong view of a row is made by the augmentations of the training
    and by hiding modalities, so that one modality learns from the others (co-training: Blum and Mitchell 1998). Rows
    are drawn from all training rows, labelled ones without their labels. In multilabel tasks, the labels for which the
    model is confident count.

    Args:
        context: of the training.
        weight: largest weight λ of the consistency loss.
        threshold: confidence τ from which a prediction counts as a label.
        ratio: number of rows drawn per labelled row of a step.
        modality_dropout: probability that a modality is hidden in the strong view; one of a row is never hidden.
        ramp: fraction of the epochs over which the weight rises, because early confident predictions are often wrong.
    """

    unlabelled = True
    sure: Tensor

    def __init__(
        self,
        context: TrainingContext,
        *,
        weight: Annotated[float, Field(gt=0)] = 1.0,
        threshold: Probability = 0.95,
        ratio: Annotated[float, Field(gt=0, le=100)] = 7.0,
        modality_dropout: Probability = 0.5,
        ramp: Share = 0.5,
    ) -> None:
        super().__init__(context)
        self.weight, self.threshold = weight, threshold
        self.ratio, self.modality_dropout, self.ramp = ratio, modality_dropout, ramp
        self.register_buffer("sure", torch.zeros(2))  # confident predictions in this epoch, and all of them
        self.to(next(context.model.parameters()).device)

    def begin_epoch(self, number: int) -> None:
        self.sure.zero_()

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        batch = draw_rows(self.context, step, self.ratio)
        if batch is None:
            return loss
        with settled(self.context.model):
            answers = probabilities(self.context.model(batch), step.target)
        label, surest = pseudo_labels(answers, has_one_of_many(answers, step.target))
        sure = surest >= self.threshold
        self.sure += torch.stack([sure.sum(), torch.ones_like(sure).sum()])
        harder = strong_view(self.context, batch, self.modality_dropout, step.random)
        height = self.weight * ramp_up(step, self.context, self.ramp)
        return loss + height * pseudo_label_loss(harder, label, sure)

    def report(self) -> dict[str, Any]:
        """Return the fraction of predictions in the last epoch that were confident enough to learn from."""
        return {"sure": round(float(self.sure[0] / self.sure[1].clamp_min(1)), 4)}


def pseudo_labels(found: Float[Tensor, "b k"], one_of_many: bool) -> tuple[Tensor, Tensor]:
    """Return the most likely labels and their probabilities: [b] if a row has one of several classes, else [b, k]."""
    if one_of_many:
        surest, label = found.max(1)
        return label, surest
    return found >= 0.5, torch.maximum(found, 1 - found)


def pseudo_label_loss(logits: Float[Tensor, "b k"], label: Tensor, sure: Tensor) -> Tensor:
    """Return the cross-entropy, 0 for labels that are not confident, averaged over all."""
    if label.dim() == 1:
        losses = functional.cross_entropy(logits, label, reduction="none")
    else:
        losses = functional.binary_cross_entropy_with_logits(logits, label.to(logits.dtype), reduction="none")
    return (losses * sure).mean()
