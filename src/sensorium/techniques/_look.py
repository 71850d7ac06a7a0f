"""What the model makes of some rows between two steps, out of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sensorium.metrics import score
from sensorium.tasks import Task
from sensorium.techniques._base import Course, Rows

STEEPNESS = 1e-3  # L2 penalty of a linear probe, whose features are standardised
ROUNDS = 20  # of L-BFGS


@dataclass(frozen=True)
class Look:
    """Rows as the model sees them, nothing hidden, without dropout.

    Attributes:
        pooled: one vector a row from each tower.
        present: which modalities each row has.
        target: as the task encodes it.
        logits: of each way that was asked for; of rows that had nothing left they mean nothing.
    """

    pooled: list[Float[Tensor, "n d"]]
    present: Bool[Tensor, "n m"]
    target: Tensor
    logits: Mapping[str, Float[Tensor, "n k"]]


@torch.no_grad()
def look(course: Course, rows: Rows, ways: Mapping[str, Sequence[bool]] | None = None) -> Look:
    """Encode rows once and decide in several ways.

    Args:
        course: the run; its model is left in the mode that it was in, no chance is drawn.
        rows: places of the rows; one or more.
        ways: name → which modalities the model is given.
    """
    model, found, training = course.model, list[Look](), course.model.training
    masks = {name: torch.tensor(mask) for name, mask in (ways or {}).items()}
    model.eval()
    for _, batch in course.loader.by_length(rows, course.batch_size):
        assert batch.target is not None
        tokens, present = model.encode(batch)
        logits = {name: model.decide(tokens, present & mask.to(present.device)) for name, mask in masks.items()}
        found.append(Look([token.pooled() for token in tokens], present, batch.target, logits))
    model.train(training)
    return Look(
        [torch.cat(parts) for parts in zip(*(one.pooled for one in found), strict=True)],
        torch.cat([one.present for one in found]),
        torch.cat([one.target for one in found]),
        {name: torch.cat([one.logits[name] for one in found]) for name in masks},
    )


def spread(rows: Rows, most: int) -> Rows:
    """At most so many of the rows, evenly taken from all of them: the same ones each time."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def judge(task: Task, metric: str, logits: Tensor, target: Tensor) -> tuple[float, float]:
    """Loss and metric of some answers; NaN of none."""
    if not len(logits):
        return float("nan"), float("nan")
    outcome = task.outcome(task.scores(logits.float().cpu().numpy()), target.cpu().numpy())
    return task.loss(logits, target).item(), float(score(metric, outcome)[0])


def fit_probe(task: Task, features: Float[Tensor, "n d"], target: Tensor) -> Any:
    """A linear model of the task's own loss from frozen features, by L-BFGS; a function of features to logits.

    Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes" (arXiv:1610.01644). Of
    features of no width it learns the mean answer.
    """
    mean = features.mean(0)
    deviation = (features - mean).square().mean(0).sqrt().clamp_min(1e-6)
    weight = features.new_zeros(features.shape[1], task.outputs, requires_grad=True)
    bias = features.new_zeros(task.outputs, requires_grad=True)

    def answer(given: Tensor) -> Tensor:
        return (given - mean) / deviation @ weight + bias

    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = task.loss(answer(features), target) + STEEPNESS * weight.square().sum()
        torch.autograd.backward(loss)
        return loss

    with torch.enable_grad():
        optimizer.step(closure)
    return lambda given: answer(given).detach()
