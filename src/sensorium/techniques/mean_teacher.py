"""Mean teacher: consistency with a moving average of the model on unlabelled rows."""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from sensorium.batch import Batch
from sensorium.config import Fraction, Probability, Share
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._unlabelled import draw_rows, probabilities, ramp_up, settled, strong_view

TASKS = ("class logits", "an amount")


class MeanTeacher(Technique):
    """`loss + λ(t) · mean of |p' − p|²`, p' the teacher on plain rows, p the model on strong views of them.

    The weights of the teacher follow the model: w' ← d · w' + (1 − d) · w after every update, with a smaller d at
    first. λ rises over a fraction of the epochs. Predictions are probabilities, or outputs of the network for amounts.
    Tarvainen and Valpola 2017, arXiv:1703.01780. The strong view is that of `fixmatch`.

    Args:
        context: of the training.
        weight: largest weight λ of the consistency loss.
        decay: decay d of the moving average.
        ramp: fraction of the epochs over which the weight rises.
        ratio: number of rows drawn per labelled row of a step.
        modality_dropout: probability that a modality is hidden in the strong view; one always stays.
    """

    unlabelled = True
    updates: Tensor

    def __init__(
        self,
        context: TrainingContext,
        *,
        weight: Annotated[float, Field(gt=0)] = 10.0,
        decay: Fraction = 0.99,
        ramp: Share = 0.3,
        ratio: Annotated[float, Field(gt=0, le=100)] = 7.0,
        modality_dropout: Probability = 0.5,
    ) -> None:
        super().__init__(context)
        self.weight, self.decay, self.ramp, self.ratio, self.modality_dropout = (
            weight,
            decay,
            ramp,
            ratio,
            modality_dropout,
        )
        for place, value in enumerate(self._followed().values()):
            self.register_buffer(f"teacher_{place}", value.detach().clone())
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        batch = draw_rows(self.context, step, self.ratio)
        if batch is None:
            return loss
        teacher_scores = self._answers(self._teach(batch), step)
        own = self._answers(strong_view(self.context, batch, self.modality_dropout, step.random), step)
        height = self.weight * ramp_up(step, self.context, self.ramp)
        return loss + height * functional.mse_loss(own, teacher_scores)

    def gradients(self, step: Step) -> None:
        """Update the teacher with the weights after the previous update."""
        self.updates += 1
        keep = min(self.decay, 1 - 1 / (int(self.updates) + 1))
        with torch.no_grad():
            for own, value in zip(self._teacher(), self._followed().values(), strict=True):
                if own.is_floating_point():
                    own.lerp_(value, 1 - keep)
                else:
                    own.copy_(value)

    def _teach(self, batch: Batch) -> Float[Tensor, "b k"]:
        weights = dict(zip(self._followed(), self._teacher(), strict=True))
        with settled(self.context.model):
            logits: Tensor = functional_call(self.context.model, weights, (batch,))
            return logits

    def _followed(self) -> dict[str, Tensor]:
        """Return the trained weights and running statistics of the model."""
        model = self.context.model
        trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
        return trained | dict(model.named_buffers())

    def _teacher(self) -> list[Tensor]:
        return [self.get_buffer(f"teacher_{place}") for place in range(len(self._followed()))]

    def _answers(self, logits: Float[Tensor, "b k"], step: Step) -> Tensor:
        return probabilities(logits, step.target) if self.context.task.labels else logits
