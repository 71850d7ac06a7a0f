"""Check the size of a network before its weights are allocated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from sensorium.errors import OutOfMemoryError
from sensorium.model._blueprint import Blueprint
from sensorium.model.network import FusionModel
from sensorium.runtime.memory import usable_memory

CHOOSE_SMALLER = "choose smaller options for it, a smaller width, or a machine with more memory"


def check_size(network: FusionModel, blueprint: Blueprint) -> None:
    """Check that the weights of a network, and what training adds to them, fit into the memory.

    Training holds a gradient and two moments of the optimizer beside each weight that it changes.

    Args:
        network: a network on the device `meta`, which allocates nothing.
        blueprint: what it was built from.

    Raises:
        OutOfMemoryError: the machine, the container or the limit of the process has less memory.
    """
    memory, needed = usable_memory(), _bytes(network)
    if memory is None or needed <= memory:
        return
    name, part = max(_parts(network, blueprint), key=lambda named: _bytes(named[1]))
    raise OutOfMemoryError(
        f"the network is too large: training it needs {_in_gb(needed)}, but {_in_gb(memory)} can be used",
        place=f"{name}, with {sum(weight.numel() for weight in part.parameters()):,} weights",
        cure=CHOOSE_SMALLER,
    )


def too_large(blueprint: Blueprint) -> OutOfMemoryError:
    """Return the error of a network with a layer that no machine can address."""
    names = ", ".join(f"{tower.encoder!r} of {tower.name!r}" for tower in blueprint.towers)
    return OutOfMemoryError(
        "the network is too large: a layer has more weights than can be addressed",
        place=f"encoders {names}, fusion {blueprint.fusion!r}, head {blueprint.head!r}",
        cure=CHOOSE_SMALLER.replace("for it", "for them"),
    )


def _parts(network: FusionModel, blueprint: Blueprint) -> Iterator[tuple[str, Any]]:
    for plan, tower in zip(blueprint.towers, network.every_tower, strict=True):
        yield f"encoder {plan.encoder!r} of {plan.name!r}", tower
    yield f"fusion {blueprint.fusion!r}", network.fusion
    yield f"head {blueprint.head!r}", network.head


def _bytes(part: nn.Module) -> int:
    return sum(_held(weight) for weight in part.parameters())


def _held(weight: torch.Tensor) -> int:
    return weight.numel() * weight.element_size() * (4 if weight.requires_grad else 1)


def _in_gb(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
