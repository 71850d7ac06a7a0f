"""Prepare a process for measuring trials."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa
import torch
from torch import nn

from sensorium.config import TrainConfig
from sensorium.train.optimizer import make_optimizer


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Run one small training step and make one Arrow array, once per process.

    The first optimizer of a process makes torch import its compiler, about 100 MB with what that imports. The first
    backward pass starts threads, and the first Arrow array makes pyarrow import pandas. Without this step, the first
    trial of a process would be charged for all of it, and its memory could not be compared with that of other trials.
    """
    pa.array([0.0])
    with torch.random.fork_rng([]), torch.enable_grad():
        model = nn.Sequential(nn.Conv1d(4, 8, 3), nn.Flatten(), nn.Linear(48, 8), nn.LayerNorm(8))
        optimizer = make_optimizer(model, TrainConfig())
        torch.autograd.backward(model(torch.zeros(2, 4, 8)).sum())
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
