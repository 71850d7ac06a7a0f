"""Encode and evaluate rows between training steps, and fit linear probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sensorium.metrics import score
from sensorium.table import Rows, evenly_spaced
from sensorium.tasks import Task
from sensorium.techniques._context import TrainingContext

PENALTY = 1e-3  # L2 penalty of a linear probe on standardised features
ITERATIONS = 20  # of L-BFGS


@dataclass(frozen=True)
class EncodedRows:
    """Rows encoded by the model, without dropout and modality dropout.

    Attributes:
        pooled: one vector per row, for each tower.
        present: which modalities each row has.
        target: as the task encodes it.
        logits: logits for each set of modalities; undefined for rows that have none of them.
    """

    pooled: list[Float[Tensor, "n d"]]
    present: Bool[Tensor, "n m"]
    target: Tensor
    logits: Mapping[str, Float[Tensor, "n k"]]


@torch.no_grad()
def encode_rows(context: TrainingContext, rows: Rows, ways: Mapping[str, Sequence[bool]] | None = None) -> EncodedRows:
    """Encode rows once and predict from several sets of modalities.

    Args:
        context: context of the training; its model keeps its mode, and no random numbers are drawn.
        rows: indices of the rows; at least one.
        ways: name → which modalities the model gets.
    """
    model, found, training = context.model, list[EncodedRows](), context.model.training
    masks = {name: torch.tensor(mask) for name, mask in (ways or {}).items()}
    model.eval()
    for _, batch in context.loader.by_length(rows, context.batch_size):
        assert batch.target is not None
        tokens, present = model.encode(batch)
        logits = {name: model.decide(tokens, present & mask.to(present.device)) for name, mask in masks.items()}
        found.append(EncodedRows([token.pooled() for token in tokens], present, batch.target, logits))
    model.train(training)
    return EncodedRows(
        [torch.cat(parts) for parts in zip(*(one.pooled for one in found), strict=True)],
        torch.cat([one.present for one in found]),
        torch.cat([one.target for one in found]),
        {name: torch.cat([one.logits[name] for one in found]) for name in masks},
    )


def sample_rows(rows: Rows, most: int) -> Rows:
    """Return at most `most` of the rows, evenly spaced and always the same."""
    return rows[evenly_spaced(len(rows), most, nearest=True)]


def evaluate(task: Task, metric: str, logits: Tensor, target: Tensor) -> tuple[float, float]:
    """Return loss and metric of predictions; NaN without rows."""
    if not len(logits):
        return float("nan"), float("nan")
    outcome = task.outcome(task.scores(logits.float().cpu().numpy()), target.cpu().numpy())
    return task.loss(logits, target).item(), float(score(metric, outcome)[0])


def fit_probe(task: Task, features: Float[Tensor, "n d"], target: Tensor) -> Any:
    """Fit a linear probe on frozen features by L-BFGS; return a function from features to logits.

    Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes" (arXiv:1610.01644). With
    features of width 0 it learns the mean prediction.
    """
    mean = features.mean(0)
    deviation = (features - mean).square().mean(0).sqrt().clamp_min(1e-6)
    weight = features.new_zeros(features.shape[1], task.outputs, requires_grad=True)
    bias = features.new_zeros(task.outputs, requires_grad=True)

    def answer(given: Tensor) -> Tensor:
        return (given - mean) / deviation @ weight + bias

    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = task.loss(answer(features), target) + PENALTY * weight.square().sum()
        torch.autograd.backward(loss)
        return loss

    with torch.enable_grad():
        optimizer.step(closure)
    return lambda given: answer(given).detach()
