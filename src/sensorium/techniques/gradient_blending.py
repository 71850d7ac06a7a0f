"""Each modality's own answer and the fused one count as much as they generalise and as little as they overfit."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor

from sensorium.config import Fraction
from sensorium.errors import ConfigError
from sensorium.techniques._alone import own_heads, own_logits
from sensorium.techniques._base import Course, Step, Technique
from sensorium.techniques._look import look, spread

MITIGATES_IMBALANCE = True
FLOOR = 0.1  # overfitting counts no less than this share of the largest, else one near 0 would take all the weight


class GradientBlending(Technique):
    """`Σ w_k · L_k` over the modalities' own heads and the fused one, w_k ∝ G_k / O_k², their mean 1.

    G is what a head's validation loss fell in the last epochs, O by how much the gap between its validation and its
    training loss grew (Wang et al. 2020, "What Makes Training Multi-Modal Classification Networks Hard?",
    arXiv:1905.12681). The paper trains each head by itself for those epochs to measure them; here they are measured
    while all of them train, which costs nothing but the measuring. They are measured on the *validation* rows: a little
    less unseen than without it. All heads count alike until they were measured for the first time.

    Args:
        course: the run.
        every: epochs from one measurement to the next.
        online: measure until the end; otherwise once, and keep those weights.
        min_weight: fraction of the weight that is shared evenly, whatever was measured.
        rows: training rows and validation rows that are looked at, at most so many of each.

    Raises:
        ConfigError: there are no validation rows.
    """

    joint = True
    weights: Tensor
    before: Tensor

    def __init__(
        self,
        course: Course,
        *,
        every: PositiveInt = 3,
        online: bool = True,
        min_weight: Fraction = 0.2,
        rows: PositiveInt = 512,
    ) -> None:
        super().__init__(course)
        if not len(course.validation_rows):
            place, cure = (
                "train.techniques.gradient_blending",
                "auxiliary, which needs none, or --set split.validation=0.1",
            )
            raise ConfigError("there are no validation rows to weigh losses by", place=place, cure=cure)
        self.every, self.online, self.min_weight = every, online, min_weight
        self.heads = own_heads(course)
        self._rows = [spread(part, rows) for part in (course.train_rows, course.validation_rows)]
        count, device = len(self.heads) + 1, next(course.model.parameters()).device
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
        for place, logits, there in own_logits(self.heads, step):
            total = total + self.weights[place] * self.course.task.loss(logits, step.target[there])
        return total

    def report(self) -> dict[str, Any]:
        """Tower → the weight that its own loss ended with; `fused`: that of the answer."""
        names = [*(tower.name for tower in self.course.model.every_tower), "fused"]
        return {"weights": {name: round(weight, 4) for name, weight in zip(names, self.weights.tolist(), strict=True)}}

    @torch.no_grad()
    def _losses(self) -> Float[Tensor, "2 k"]:
        """Of training and validation rows, of each head, the fused one last; NaN where no row has a modality."""
        task, found = self.course.task, list[Tensor]()
        for rows in self._rows:
            seen = look(self.course, rows, {"all": [True] * len(self.heads)})
            for place, head in enumerate(self.heads):
                there = seen.present[:, place]
                loss = task.loss(head(seen.pooled[place][there]), seen.target[there])
                found.append(loss if there.any() else loss.new_tensor(torch.nan))
            found.append(task.loss(seen.logits["all"], seen.target))
        return torch.stack(found).unflatten(0, (2, -1))


def blend(before: Float[Tensor, "2 k"], now: Float[Tensor, "2 k"], least: float) -> Float[Tensor, " k"]:
    """The w [k], mean 1, from training and validation losses before and now; what did not generalise gets `least`."""
    gain = (before[1] - now[1]).nan_to_num(0.0).clamp_min(0)
    over = ((now[1] - now[0]) - (before[1] - before[0])).nan_to_num(0.0).abs()
    ratio = gain / over.clamp_min(FLOOR * over.max()).clamp_min(1e-6).square()
    even = torch.full_like(ratio, 1 / len(ratio))
    share = ratio / ratio.sum() if ratio.sum() > 0 else even
    return len(ratio) * ((1 - least) * share + least * even)
