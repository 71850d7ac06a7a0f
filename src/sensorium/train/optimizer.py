"""The optimiser and its learning rate schedule."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from sensorium.config import TrainConfig

MOMENTUM = 0.9  # of SGD


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019) or SGD with momentum, fused.

    Weight decay applies to matrices and filters, not to biases, gains and embeddings. A parameter with an attribute
    `rate`, such as a weight of a pretrained model, is trained with the learning rate times `rate`.
    """
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decays, rate = parameter.dim() > 1 and "embed" not in name, float(getattr(parameter, "rate", 1.0))
            groups.setdefault((decays, rate), []).append(parameter)
    options = [
        {"params": found, "weight_decay": config.weight_decay * decays, "lr": config.learning_rate * rate}
        for (decays, rate), found in sorted(groups.items(), key=lambda group: (-group[0][0], -group[0][1]))
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(options, config.learning_rate, MOMENTUM, fused=True)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(options, config.learning_rate, fused=True)


def make_schedule(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> LambdaLR:
    """Return the schedule: a linear warm-up, then a constant rate or a linear or cosine decay to zero."""
    rise = max(1, round(config.warmup * steps)) if config.warmup else 0

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        done = (step - rise) / max(1, steps - rise)
        return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * min(1.0, done))) / 2}[
            config.schedule
        ]

    return LambdaLR(optimizer, factor)
