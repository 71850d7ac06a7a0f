"""The optimiser and the course of its learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from sensorium.config import TrainConfig

MOMENTUM = 0.9  # of sgd


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019) or SGD with momentum, fused over all weights.

    Only matrices and filters decay; biases, gains and embeddings don't.
    """
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decayed = {name for name, p in trained if p.dim() > 1 and "embed" not in name}
    groups = [
        {"params": [p for name, p in trained if name in decayed], "weight_decay": config.weight_decay},
        {"params": [p for name, p in trained if name not in decayed], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.learning_rate, MOMENTUM, fused=True)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, config.learning_rate, fused=True)


def make_schedule(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> LambdaLR:
    """The rate rises linearly over the warm-up, then stays, or falls to zero linearly or along a cosine."""
    rise = max(1, round(config.warmup * steps)) if config.warmup else 0

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        done = (step - rise) / max(1, steps - rise)
        return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * min(1.0, done))) / 2}[
            config.schedule
        ]

    return LambdaLR(optimizer, factor)
