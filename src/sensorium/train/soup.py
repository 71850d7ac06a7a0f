"""Model soup: average the weights of the best epochs, if validation does not get worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sensorium.config import TrainConfig
from sensorium.errors import ConfigError
from sensorium.files.figures import finite
from sensorium.techniques import Rows, TrainingContext
from sensorium.train.best import Best, Weights
from sensorium.train.history import Epoch, History
from sensorium.train.validate import validate


def check_soup(config: TrainConfig, validation_rows: Rows) -> None:
    """Check that there are validation rows to choose a soup by.

    Raises:
        ConfigError: a soup is requested, but there are no validation rows.
    """
    if config.soup > 1 and not len(validation_rows):
        finding = "averaging the best epochs (train.soup) needs validation rows"
        raise ConfigError(finding, place="train.soup", cure="train.soup=1")


def mix_soup(context: TrainingContext, history: History, best: Best) -> None:
    """Load the greedy soup of the best epochs into the model (Wortsman et al. 2022, arXiv:2203.05482).

    Starting with the best epoch, the others are added to the average in order of their rank, if the criterion of
    `train.select_by` does not get worse. So the soup is never worse on the validation rows than the best epoch. The
    statistics of batch normalisation are computed anew over the training rows with the averaged weights (Izmailov et
    al. 2018, arXiv:1803.05407).

    Args:
        context: context of the training, with the model and the validation rows.
        history: receives the epochs of the soup and its metrics.
        best: the weights of the best epochs, best first.
    """
    chosen = [best.epochs[0]]
    reached = history.epochs[chosen[0][0] - 1]
    for candidate in best.epochs[1:]:
        _load(context, [weights for _, weights in (*chosen, candidate)])
        mixed = _evaluated(context, history, reached)
        if history.soup_rank(mixed) >= history.soup_rank(reached):
            chosen, reached = [*chosen, candidate], mixed
    _load(context, [weights for _, weights in chosen])
    history.soup = _report([number for number, _ in chosen], reached)


def _load(context: TrainingContext, ingredients: Sequence[Weights]) -> None:
    context.model.load_state_dict(average(ingredients), strict=False)
    if len(ingredients) > 1:  # a single epoch has its own statistics
        renew_statistics(context)


def average(ingredients: Sequence[Weights]) -> Weights:
    """Average each weight; integers, such as counts, are taken from the first epoch."""
    return {name: _mean([weights[name] for weights in ingredients]) for name in ingredients[0]}


def _mean(values: Sequence[Any]) -> Any:
    first = values[0]
    if not (isinstance(first, Tensor) and first.is_floating_point()) or len(values) == 1:
        return first
    return torch.stack([value.double() for value in values]).mean(0).to(first.dtype)


@torch.no_grad()
def renew_statistics(context: TrainingContext) -> None:
    """Compute the statistics of batch normalisation over the training rows; other layers are in evaluation mode."""
    context.model.train()
    norms = [part for part in context.model.modules() if isinstance(part, _BatchNorm) and _renewed(part)]
    context.model.eval()
    if not norms:
        return
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
        norm.momentum = None  # all batches have the same weight
    for _, batch in context.loader.by_length(context.train_rows, context.batch_size):
        context.model(batch)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    context.model.eval()


def _renewed(norm: nn.Module) -> bool:
    """Return whether the layer is trained; frozen parts stay in evaluation mode."""
    return norm.training and bool(getattr(norm, "track_running_stats", False))


def _evaluated(context: TrainingContext, history: History, like: Epoch) -> Epoch:
    found = validate(context, history.watched)
    return replace(like, validation_loss=found.loss, metric=found.metric, calibrated_loss=found.calibrated_loss)


def _report(numbers: list[int], reached: Epoch) -> dict[str, Any]:
    figures = {name: finite(getattr(reached, name)) for name in ("metric", "validation_loss", "calibrated_loss")}
    return {"epochs": sorted(numbers), **figures}
