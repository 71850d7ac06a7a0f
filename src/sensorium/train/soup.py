"""Several epochs' weights averaged, where that answers no worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sensorium.config import TrainConfig
from sensorium.errors import ConfigError
from sensorium.metrics import finite
from sensorium.train.best import Best, Weights
from sensorium.train.history import Epoch, History
from sensorium.train.job import Rows, Training
from sensorium.train.validate import validate


def check_soup(config: TrainConfig, validation_rows: Rows) -> None:
    """There are rows that choose.

    Raises:
        ConfigError: a soup is asked for, and there are none.
    """
    if config.soup > 1 and not len(validation_rows):
        raise ConfigError("there are no validation rows to choose a soup by", place="train.soup", cure="train.soup=1")


def mix_soup(job: Training, history: History, best: Best, size: int) -> None:
    """The greedy soup of the best epochs (Wortsman et al. 2022, arXiv:2203.05482): the model ends with its weights.

    From the best epoch on, each next best one is added to the average if the validation metric does not fall, nor,
    where it stays, the loss rise: so the soup is never worse there than the best epoch. Batch normalisation's
    statistics are those of the averaged weights over the training rows, not an average (Izmailov et al. 2018,
    arXiv:1803.05407).

    Args:
        job: the model, and the rows that choose.
        history: is told which epochs were mixed and what came of it.
        best: the weights, the best first.
        size: rows of a batch.
    """
    chosen = [best.epochs[0]]
    reached = history.epochs[chosen[0][0] - 1]
    for candidate in best.epochs[1:]:
        _load(job, [weights for _, weights in (*chosen, candidate)], size)
        tasted = _taste(job, history, reached, size)
        if history.rank(tasted) >= history.rank(reached):
            chosen, reached = [*chosen, candidate], tasted
    _load(job, [weights for _, weights in chosen], size)
    history.soup = _report([number for number, _ in chosen], reached)


def _load(job: Training, ingredients: Sequence[Weights], size: int) -> None:
    job.model.load_state_dict(average(ingredients), strict=False)
    if len(ingredients) > 1:  # a lone epoch has its own statistics
        renew_statistics(job, size)


def average(ingredients: Sequence[Weights]) -> Weights:
    """The mean of each weight; counts and what else is no fraction are the first one's."""
    return {name: _mean([weights[name] for weights in ingredients]) for name in ingredients[0]}


def _mean(values: Sequence[Any]) -> Any:
    first = values[0]
    if not (isinstance(first, Tensor) and first.is_floating_point()) or len(values) == 1:
        return first
    return torch.stack([value.double() for value in values]).mean(0).to(first.dtype)


@torch.no_grad()
def renew_statistics(job: Training, size: int) -> None:
    """Means and variances of batch normalisation over the training rows; the model is else in evaluation."""
    job.model.train()
    norms = [part for part in job.model.modules() if isinstance(part, _BatchNorm) and _renewed(part)]
    job.model.eval()
    if not norms:
        return
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
        norm.momentum = None  # every batch counts alike
    for _, batch in job.loader.by_length(job.train_rows, size):
        job.model(batch)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    job.model.eval()


def _renewed(norm: nn.Module) -> bool:
    """A frozen part stays in evaluation when the model trains."""
    return norm.training and bool(getattr(norm, "track_running_stats", False))


def _taste(job: Training, history: History, like: Epoch, size: int) -> Epoch:
    loss, metric = validate(job, history.watched, size)
    return replace(like, validation_loss=loss, metric=metric)


def _report(numbers: list[int], reached: Epoch) -> dict[str, Any]:
    figures = {"metric": reached.metric, "validation_loss": reached.validation_loss}
    return {"epochs": sorted(numbers)} | {name: finite(value) for name, value in figures.items()}
