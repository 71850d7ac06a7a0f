"""Where the model is sure of a row without a label, it is to answer the same of a harder view of it."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from sensorium.config import Probability, Share
from sensorium.techniques._base import Course, Step, Technique
from sensorium.techniques._unlabelled import draw_rows, has_one_of_many, probabilities, ramp_up, settled, strong_view

TASKS = ("binary", "multiclass", "multilabel")


class Fixmatch(Technique):
    """`loss + λ(t) · mean of [max p ≥ τ] · H(argmax p, q)`: p answers the plain row, q one that was made harder.

    FixMatch: Sohn et al. 2020, arXiv:2001.07685. The harder view of a row is what the run's augmentations make of it,
    with modalities hidden: so one modality learns from what others know (co-training: Blum and Mitchell 1998). Rows
    are drawn from all training rows, the labelled ones without their labels. Of several labels a row, each counts that
    is sure by itself.

    Args:
        course: the run.
        weight: λ at its full height.
        threshold: τ.
        ratio: unlabelled rows per labelled row of a step (μ).
        modality_dropout: probability that a modality is hidden in the harder view; one always stays.
        ramp: share of the epochs over which λ rises: at first a model of few labels is sure of what it doesn't know.
    """

    unlabelled = True
    sure: Tensor

    def __init__(
        self,
        course: Course,
        *,
        weight: Annotated[float, Field(gt=0)] = 1.0,
        threshold: Probability = 0.95,
        ratio: Annotated[float, Field(gt=0, le=100)] = 7.0,
        modality_dropout: Probability = 0.5,
        ramp: Share = 0.5,
    ) -> None:
        super().__init__(course)
        self.weight, self.threshold = weight, threshold
        self.ratio, self.modality_dropout, self.ramp = ratio, modality_dropout, ramp
        self.register_buffer("sure", torch.zeros(2))  # answers that were sure in this epoch, and all of them
        self.to(next(course.model.parameters()).device)

    def begin_epoch(self, number: int) -> None:
        self.sure.zero_()

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        batch = draw_rows(self.course, max(1, round(self.ratio * len(step.target))), step.random)
        if batch is None:
            return loss
        with settled(self.course.model):
            answers = probabilities(self.course.model(batch), step.target)
        label, surest = pseudo_labels(answers, has_one_of_many(answers, step.target))
        sure = surest >= self.threshold
        self.sure += torch.stack([sure.sum(), torch.ones_like(sure).sum()])
        harder = strong_view(self.course, batch, self.modality_dropout, step.random)
        height = self.weight * ramp_up(step, self.course, self.ramp)
        return loss + height * pseudo_label_loss(harder, label, sure)

    def report(self) -> dict[str, Any]:
        """The share of answers, in the last epoch, that were sure enough to be learnt from."""
        return {"sure": round(float(self.sure[0] / self.sure[1].clamp_min(1)), 4)}


def pseudo_labels(found: Float[Tensor, "b k"], one_of_many: bool) -> tuple[Tensor, Tensor]:
    """The likeliest answers and their probabilities: [b] where a row has one of many classes, else [b, k]."""
    if one_of_many:
        surest, label = found.max(1)
        return label, surest
    return found >= 0.5, torch.maximum(found, 1 - found)


def pseudo_label_loss(logits: Float[Tensor, "b k"], label: Tensor, sure: Tensor) -> Tensor:
    """Cross-entropy of logits and labels where these are sure, 0 elsewhere: the mean over all."""
    if label.dim() == 1:
        losses = functional.cross_entropy(logits, label, reduction="none")
    else:
        losses = functional.binary_cross_entropy_with_logits(logits, label.to(logits.dtype), reduction="none")
    return (losses * sure).mean()
