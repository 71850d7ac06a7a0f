"""Gradient blending: weight unimodal and fused losses by how much they generalise and overfit."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor

from sensorium.config import Fraction, set_both
from sensorium.errors import ConfigError
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._probe import encode_rows, sample_rows
from sensorium.techniques._unimodal import by_tower, unimodal_heads, unimodal_predictions

MITIGATES_IMBALANCE = True
FLOOR = 0.1  # overfitting counts no less than this share of the largest, else one near 0 would take all the weight


class GradientBlending(Technique):
    """`Σ w_k · L_k` over the unimodal heads and the fused one, w_k ∝ G_k / O_k² with mean 1.

    G is the decrease of a head's validation loss in the last epochs, O the increase of the gap between its validation
    and training loss (Wang et al. 2020, "What Makes Training Multi-Modal Classification Networks Hard?",
    arXiv:1905.12681). The paper trains each head separately for those epochs; here all heads are measured during the
    joint training, which only costs the evaluations. As the *validation* rows are used, validation metrics are slightly
    optimistic. All heads have the same weight until the first measurement.

    Args:
        context: of the training.
        every: epochs from one measurement to the next.
        online: whether to measure until the end; otherwise measure once and keep the weights.
        min_weight: fraction of the weight that is distributed evenly.
        rows: maximum number of training rows, and of validation rows, for a measurement.

    Raises:
        ConfigError: there are no validation rows.
    """

    joint = True
    validates = True
    weights: Tensor
    before: Tensor

    def __init__(
        self,
        context: TrainingContext,
        *,
        every: PositiveInt = 3,
        online: bool = True,
        min_weight: Fraction = 0.2,
        rows: PositiveInt = 512,
    ) -> None:
        super().__init__(context)
        if not len(context.validation_rows):
            place, cure = (
                "train.techniques.gradient_blending",
                f"use the technique auxiliary, which needs no validation rows, or {set_both('split.validation', 0.1)}",
            )
            raise ConfigError("there are no validation rows to weigh losses by", place=place, cure=cure)
        self.every, self.online, self.min_weight = every, online, min_weight
        self.heads = unimodal_heads(context)
        self._rows = [sample_rows(part, rows) for part in (context.train_rows, context.validation_rows)]
        count, device = len(self.heads) + 1, next(context.model.parameters()).device
        self.register_buffer("weights", torch.ones(count, device=device))
        self.register_buffer("before", torch.full((2, count), torch.nan, device=device))

    def begin_epoch(self, number: int) -> None:
        if number == 1:
            self.before.copy_(self._losses())

    def end_epoch(self, number: int) -> None:
        if number % self.every == 0 and (self.online or number == self.every):
            now = self._losses()
            self.weights.copy_(blend(self.before, now, self.min_weight))
            self.before.copy_(now)

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        total = self.weights[-1] * loss
        for place, logits, there in unimodal_predictions(self.heads, step):
            total = total + self.weights[place] * self.context.task.loss(logits, step.target[there])
        return total

    def report(self) -> dict[str, Any]:
        """Return tower → final weight of its loss; `fused` is the weight of the fused prediction."""
        return {"weights": by_tower(self.context, self.weights, "fused")}

    @torch.no_grad()
    def _losses(self) -> Float[Tensor, "2 k"]:
        """Return training and validation losses of each head, the fused one last; NaN if no row has the modality."""
        task, found = self.context.task, list[Tensor]()
        for rows in self._rows:
            seen = encode_rows(self.context, rows, {"all": [True] * len(self.heads)})
            for place, head in enumerate(self.heads):
                there = seen.present[:, place]
                loss = task.loss(head(seen.pooled[place][there]), seen.target[there])
                found.append(loss if there.any() else loss.new_tensor(torch.nan))
            found.append(task.loss(seen.logits["all"], seen.target))
        return torch.stack(found).unflatten(0, (2, -1))


def blend(before: Float[Tensor, "2 k"], now: Float[Tensor, "2 k"], least: float) -> Float[Tensor, " k"]:
    """Return weights [k], mean 1, from losses before and now; a head that did not generalise gets `least`."""
    gain = (before[1] - now[1]).nan_to_num(0.0).clamp_min(0)
    over = ((now[1] - now[0]) - (before[1] - before[0])).nan_to_num(0.0).abs()
    ratio = gain / over.clamp_min(FLOOR * over.max()).clamp_min(1e-6).square()
    even = torch.full_like(ratio, 1 / len(ratio))
    share = ratio / ratio.sum() if ratio.sum() > 0 else even
    return len(ratio) * ((1 - least) * share + least * even)
