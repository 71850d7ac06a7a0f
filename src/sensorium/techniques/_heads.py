"""Small heads that a technique adds to the towers and discards after training."""

from __future__ import annotations

from torch import nn

from sensorium.model import FusionModel, Tower


def tower_width(tower: Tower) -> int:
    """Return the width of the pooled tokens of a tower."""
    return int(getattr(tower.project, "out_features", tower.encoder.width))


def fused_width(model: FusionModel) -> int:
    """Return the width of the output of the fusion: features, or logits in decision-level fusion."""
    return model.outputs if model.fusion.level == "decision" else int(model.fusion.width)


def projection(inside: int, outside: int) -> nn.Sequential:
    """Build a projection head with one hidden layer, so that the tower keeps its information (Chen et al. 2020)."""
    return nn.Sequential(nn.Linear(inside, outside), nn.ReLU(), nn.Linear(outside, outside))
