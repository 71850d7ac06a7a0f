"""Tent: AdaBN, then train the affine parameters of batch normalisation to minimise prediction entropy."""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sensorium.adaptation._base import Adaptation, Unlabelled
from sensorium.adaptation._statistics import estimate_statistics, normalisations
from sensorium.errors import TrainingError
from sensorium.model import FittedModel, FusionModel

TASKS = ("binary", "multiclass")
SMALL = 1e-8


class Tent(Adaptation):
    """Adaptation by entropy minimisation over a whole table (Wang et al. 2021, "Tent", arXiv:2006.10726).

    First the statistics are replaced as in `adabn`. Then Adam trains scale and shift of these layers, and nothing else,
    to minimise mean_i H(p_i) − λ · H(mean_i p_i), with H the entropy of class probabilities. The second term (Liang et
    al. 2020, arXiv:2002.08546) prevents the model from predicting one class for all rows. It assumes balanced classes:
    lower λ if they are not.

    Args:
        prior: weight of the old statistics, as a number of rows.
        learning_rate: learning rate.
        epochs: passes over the rows.
        batch_size: rows per step.
        diversity: weight λ of the term that keeps the predicted classes diverse.
    """

    def __init__(
        self,
        *,
        prior: NonNegativeInt = 16,
        learning_rate: PositiveFloat = 1e-3,
        epochs: PositiveInt = 3,
        batch_size: Annotated[int, Field(ge=2)] = 64,
        diversity: Annotated[float, Field(ge=0)] = 1.0,
    ) -> None:
        self.prior, self.learning_rate, self.epochs = prior, learning_rate, epochs
        self.batch_size, self.diversity = batch_size, diversity

    def check(self, fitted: FittedModel) -> None:
        normalisations(fitted.network)

    def adapt(self, fitted: FittedModel, domain: Unlabelled) -> dict[str, Any]:
        network = fitted.network
        layers = estimate_statistics(network, domain, fitted.batch, self.prior)
        trained = _only_gains(network)
        optimizer = torch.optim.Adam(trained, self.learning_rate)
        losses = []
        with domain.report.bar("minimising entropy", self.epochs * len(domain.rows)) as bar:
            for _ in range(self.epochs):
                total = 0.0
                for batch in domain.loader.shuffled(domain.rows, self.batch_size, domain.random):
                    loss = information_loss(network(batch), self.diversity)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    total += float(loss.detach()) * len(batch.rows)
                    bar.advance(len(batch.rows))
                losses.append(round(total / len(domain.rows), 6))
        if not math.isfinite(losses[-1]):
            lower = self.learning_rate / 10
            raise TrainingError(
                "the entropy is not finite",
                cure=f"use a lower learning rate: --option learning_rate={lower:g} (Python: learning_rate={lower:g})",
            )
        return {"layers": layers, "losses": losses}


def information_loss(logits: Tensor, diversity: float) -> Tensor:
    """Return the mean entropy of the rows' probabilities minus `diversity` times the entropy of their mean.

    A single logit, of a binary task, counts as two classes.
    """
    logits = torch.cat([torch.zeros_like(logits), logits], 1) if logits.shape[1] == 1 else logits
    logs = logits.log_softmax(1)
    mean = logs.exp().mean(0)
    return -(logs.exp() * logs).sum(1).mean() + diversity * (mean * (mean + SMALL).log()).sum()


def _only_gains(network: FusionModel) -> list[nn.Parameter]:
    """Freeze all parameters except those of batch normalisation; return the parameters that are trained."""
    network.requires_grad_(False)
    layers = [layer.requires_grad_(True) for layer in network.modules() if isinstance(layer, _BatchNorm)]
    return [parameter for layer in layers for parameter in layer.parameters()]
