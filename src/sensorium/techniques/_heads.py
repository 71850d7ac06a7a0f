"""Small networks that a technique hangs on the towers' vectors, and throws away in the end."""

from __future__ import annotations

from torch import nn

from sensorium.model import FusionModel, Tower


def tower_width(tower: Tower) -> int:
    """Numbers of a tower's pooled tokens."""
    return int(getattr(tower.project, "out_features", tower.encoder.width))


def fused_width(model: FusionModel) -> int:
    """Numbers of what the fusion makes of a row: features, or decisions."""
    return model.outputs if model.fusion.level == "decision" else int(model.fusion.width)


def projection(inside: int, outside: int) -> nn.Sequential:
    """One hidden layer: what is lost on the way to the loss is lost in it, not in the tower (Chen et al. 2020)."""
    return nn.Sequential(nn.Linear(inside, outside), nn.ReLU(), nn.Linear(outside, outside))
