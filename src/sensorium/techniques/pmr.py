"""PMR: pull lagging modalities towards class prototypes, and reduce early overconfidence of the leading one."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from jaxtyping import Float, Int64
from pydantic import Field, PositiveInt
from torch import Tensor
from torch.nn import functional

from sensorium.config import Fraction, Share
from sensorium.techniques._base import Step, Technique
from sensorium.techniques._context import TrainingContext
from sensorium.techniques._heads import tower_width
from sensorium.techniques._probe import encode_rows, sample_rows
from sensorium.techniques._unimodal import by_tower, score_of_others

TASKS = ("class logits",)
MITIGATES_IMBALANCE = True


class Pmr(Technique):
    """Prototypical modal rebalance (Fan et al. 2023, arXiv:2211.07089).

    The prototype of a class is the mean of the pooled tokens z of a modality over training rows of that class;
    softmax(−‖z − prototype‖) are class probabilities. s_m is the mean probability of the true class, r_m the mean s of
    the others over s_m. The loss gets α · clip(r_m − 1, 0, 1) · cross-entropy of these probabilities, for lagging
    modalities, and in early epochs −μ · clip(1/r_m − 1, 0, 1) · their entropy, for leading ones. With two modalities
    this is the paper; with more, each is compared with the mean of the others. A binary label has two prototypes.

    Args:
        context: of the training.
        alpha: strength α of the pull towards the prototypes.
        entropy: weight μ of the entropy term, which reduces early overconfidence.
        early: fraction of the epochs with the entropy term.
        momentum: weight of the old prototypes when they are updated, at the start of each epoch.
        rows: maximum number of training rows for the prototypes.
    """

    joint = True
    total: Tensor
    steps: Tensor

    def __init__(
        self,
        context: TrainingContext,
        *,
        alpha: Annotated[float, Field(gt=0)] = 1.0,
        entropy: Annotated[float, Field(ge=0)] = 0.1,
        early: Share = 0.3,
        momentum: Fraction = 0.2,
        rows: PositiveInt = 512,
    ) -> None:
        super().__init__(context)
        self.alpha, self.entropy, self.early, self.momentum = alpha, entropy, early, momentum
        self._rows = sample_rows(context.train_rows, rows)
        towers, device = context.model.every_tower, next(context.model.parameters()).device
        questions, choices = _shape(context)
        for place, tower in enumerate(towers):
            empty = torch.full((questions, choices, tower_width(tower)), torch.nan, device=device)
            self.register_buffer(f"prototypes_{place}", empty)  # NaN until a row of the class was seen
        self.register_buffer("total", torch.zeros(len(towers), device=device))
        self.register_buffer("steps", torch.zeros((), device=device))

    def begin_epoch(self, number: int) -> None:
        seen = encode_rows(self.context, self._rows)
        chosen = functional.one_hot(choices_of(seen.target), self._prototypes(0).shape[1])  # (n, q, c)
        for place, pooled in enumerate(seen.pooled):
            there = seen.present[:, place]
            member = chosen[there].to(pooled.dtype)
            sums = torch.einsum("nqc,nd->qcd", member, pooled[there])
            new = sums / member.sum(0)[..., None]  # NaN if there is no row of the class
            old = self._prototypes(place)
            mixed = self.momentum * old + (1 - self.momentum) * new
            old.copy_(torch.where(old.isnan(), new, torch.where(new.isnan(), old, mixed)))

    def loss(self, step: Step, loss: Tensor) -> Tensor:
        found = [self._answers(step, place) for place in range(len(step.tokens))]
        nothing = loss.new_tensor(torch.nan)
        scores = torch.stack([right.exp().mean() if len(right) else nothing for right, _ in found])
        slow, fast = coefficients(scores.detach())
        early = step.epoch <= self.early * self.context.epochs
        for (right, entropy), behind, ahead in zip(found, slow, fast, strict=True):
            if len(right):
                loss = loss - self.alpha * behind * right.mean()
                loss = loss - self.entropy * ahead * entropy.mean() if early else loss
        self.total += slow
        self.steps += 1
        return loss

    def report(self) -> dict[str, Any]:
        """Return tower → mean coefficient of its prototypical cross-entropy."""
        return {"coefficients": by_tower(self.context, self.total / self.steps.clamp_min(1))}

    def _prototypes(self, place: int) -> Float[Tensor, "q c d"]:
        return self.get_buffer(f"prototypes_{place}")

    def _answers(self, step: Step, place: int) -> tuple[Float[Tensor, "n q"], Float[Tensor, "n q"]]:
        there = step.present[:, place]
        return answer(step.tokens[place].pooled()[there], self._prototypes(place), choices_of(step.target[there]))


def _shape(context: TrainingContext) -> tuple[int, int]:
    """Number of choices to make per row, and of options of each: one among all classes, or yes/no for each label."""
    several = context.target.ndim > 1
    return (context.target.shape[1], 2) if several else (1, max(2, context.task.outputs))


def choices_of(target: Tensor) -> Int64[Tensor, "n q"]:
    """Return the index of the true option of each choice."""
    return (target > 0.5).long() if target.dim() > 1 else target.long()[:, None]


def answer(
    z: Float[Tensor, "n d"], prototypes: Float[Tensor, "q c d"], truth: Int64[Tensor, "n q"]
) -> tuple[Float[Tensor, "k q"], Float[Tensor, "k q"]]:
    """Return log-probability of the true options, and entropy, for the k rows whose true options have prototypes."""
    known = prototypes.isfinite().all(2)  # (q, c)
    kept = known.expand(len(z), -1, -1).gather(2, truth[..., None]).flatten(1).all(1)
    squared = (z[kept, None, None] - prototypes.nan_to_num(0.0)).square().sum(3)
    distance = squared.clamp_min(1e-12).sqrt()  # (k, q, c); the square root has no gradient at 0
    logs = distance.neg().masked_fill(~known, -torch.inf).log_softmax(2)
    return logs.gather(2, truth[kept][..., None])[..., 0], torch.special.entr(logs.exp()).sum(2)


def coefficients(scores: Float[Tensor, " m"]) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    """Return clip(r − 1, 0, 1) and clip(1/r − 1, 0, 1), r = mean score of the others / score; 0 without a score."""
    own, others, compared = score_of_others(scores)
    ratio = torch.where(compared, others.clamp_min(1e-8) / own.clamp_min(1e-8), 1.0)
    return (ratio - 1).clamp(0, 1), (1 / ratio - 1).clamp(0, 1)
