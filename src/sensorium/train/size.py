"""Check that training a network fits into the memory, before its weights are allocated."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from sensorium.config import TrainConfig
from sensorium.errors import OutOfMemoryError
from sensorium.model import Blueprint, FusionModel
from sensorium.runtime.memory import usable_memory
from sensorium.train.freeze import covers

STATES = {"adam": 2, "adamw": 2, "sgd": 1}  # numbers that an optimizer keeps for each weight that it changes


def check_size(network: FusionModel, blueprint: Blueprint, config: TrainConfig, device: torch.device) -> None:
    """Check that the weights of a network, their gradients and the states of the optimizer fit into the memory.

    On an accelerator, only the weights count: they are built in the memory of the machine.

    Args:
        network: the network; it may be on the device `meta`, which allocates nothing.
        blueprint: what it was built from.
        config: names the optimizer and the frozen parts.
        device: device of the training.

    Raises:
        OutOfMemoryError: the machine, the container or the limit of the process has less memory.
    """
    sizes, counts, seen = list[int](), list[int](), set[int]()
    for part, module in network.parts:
        # A lazy weight has no size yet. A module that two towers share has its weights once.
        own = {name: w for name, w in module.named_parameters() if not is_lazy(w) and id(w) not in seen}
        seen.update(map(id, own.values()))
        counts.append(sum(weight.numel() for weight in own.values()))
        sizes.append(sum(_held(f"{part}.{name}", weight, config, device) for name, weight in own.items()))
    memory, needed = usable_memory(), sum(sizes)
    if memory is not None and needed > memory:
        largest = sizes.index(max(sizes))
        more = f"{_in_gb(needed)}, more than the {_in_gb(memory)} that can be used"
        raise OutOfMemoryError(
            f"the network is too large: its training needs {more}",
            place=f"{blueprint.part_names()[largest]}, with {counts[largest]:,} weights",
            cure="choose smaller options for it, a smaller width, or a machine with more memory",
        )


def _held(name: str, weight: nn.Parameter, config: TrainConfig, device: torch.device) -> int:
    """Return the bytes of a weight, of its gradient and of the states of the optimizer."""
    trained = weight.requires_grad and not any(covers(pattern, name) for pattern in config.freeze)
    held = 2 + STATES[config.optimizer] if trained and device.type == "cpu" else 1
    return weight.numel() * weight.element_size() * held


def _in_gb(size: int) -> str:
    return f"{size / 1e9:,.2f} GB"
