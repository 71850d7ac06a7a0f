"""Measure how far the weights of each part of a network changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sensorium.model import FusionModel, weight_index


def measure_weight_shift(
    before: FusionModel, after: FusionModel, index_map: Sequence[int] | None = None
) -> dict[str, float | None]:
    """Compute ‖Δ‖ / ‖w‖ of each part (tower, `fusion`, `head`) over its weights and normalization statistics.

    Args:
        before: the old network.
        after: the new one, with the same parts.
        index_map: index of each old logit among the new ones; new rows of the head are not compared.

    Returns:
        None for a part whose old weights were all zero.
    """
    old_parts = dict(before.parts)
    places = torch.arange(before.outputs) if index_map is None else torch.tensor(index_map)
    sizes = (before.outputs, after.outputs)
    return {
        name: _relative(_weights(old_parts[name]), _weights(part), places, sizes)
        for name, part in after.parts
        if _weights(part)
    }


def _weights(part: nn.Module) -> dict[str, Tensor]:
    return {n: v.detach().double().cpu() for n, v in part.state_dict().items() if v.is_floating_point()}


def _relative(
    old: Mapping[str, Tensor], new: Mapping[str, Tensor], places: Tensor, sizes: tuple[int, int]
) -> float | None:
    change = whole = 0.0
    for name, value in old.items():
        same = new[name][weight_index(value, new[name], places, sizes)]
        change += float((same - value).square().sum())
        whole += float(value.square().sum())
    return round((change / whole) ** 0.5, 6) if whole else None
