"""Measure how far the weights of each part of a network changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sensorium.model import FusionModel, index_map


def weights_moved(
    before: FusionModel, after: FusionModel, kept: Sequence[int] | None = None
) -> dict[str, float | None]:
    """Compute ‖Δ‖ / ‖w‖ of each part (tower, `fusion`, `head`) over its weights and normalization statistics.

    Args:
        before: the old network.
        after: the new one, with the same parts.
        kept: index of each old logit among the new ones; new rows of the head are not compared.

    Returns:
        None for a part whose old weights were all zero.
    """
    old_parts = dict(before.parts)
    places = torch.arange(before.outputs) if kept is None else torch.tensor(kept)
    sizes = (before.outputs, after.outputs)
    return {
        name: _relative(_amounts(old_parts[name]), _amounts(part), places, sizes)
        for name, part in after.parts
        if _amounts(part)
    }


def _amounts(part: nn.Module) -> dict[str, Tensor]:
    return {n: v.detach().double().cpu() for n, v in part.state_dict().items() if v.is_floating_point()}


def _relative(
    old: Mapping[str, Tensor], new: Mapping[str, Tensor], places: Tensor, sizes: tuple[int, int]
) -> float | None:
    moved = whole = 0.0
    for name, value in old.items():
        same = new[name][index_map(value, new[name], places, sizes)]
        moved += float((same - value).square().sum())
        whole += float(value.square().sum())
    return round((moved / whole) ** 0.5, 6) if whole else None
