"""Check that training a network fits into the memory, before its weights are allocated."""

from __future__ import annotations

import torch
from torch.nn.parameter import is_lazy

from sensorium.config import TrainConfig
from sensorium.errors import OutOfMemoryError
from sensorium.model import Blueprint, FusionModel
from sensorium.runtime.memory import usable_memory
from sensorium.train.freeze import covers, named_parameters

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
    sizes, weights = dict.fromkeys(blueprint.part_names(), 0), dict.fromkeys(blueprint.part_names(), 0)
    names = dict(zip((name for name, _ in network.parts), sizes, strict=True))
    for name, weight in named_parameters(network):
        if is_lazy(weight):
            continue  # its module says so when it is built
        part = next(names[own] for own in names if name.startswith(f"{own}."))
        trained = weight.requires_grad and not any(covers(pattern, name) for pattern in config.freeze)
        held = 2 + STATES[config.optimizer] if trained and device.type == "cpu" else 1
        sizes[part] += weight.numel() * weight.element_size() * held
        weights[part] += weight.numel()
    memory, needed = usable_memory(), sum(sizes.values())
    if memory is not None and needed > memory:
        largest = max(sizes, key=lambda part: sizes[part])
        more = f"{_in_gb(needed)}, more than the {_in_gb(memory)} that can be used"
        raise OutOfMemoryError(
            f"the network is too large: its training needs {more}",
            place=f"{largest}, with {weights[largest]:,} weights",
            cure="choose smaller options for it, a smaller width, or a machine with more memory",
        )


def _in_gb(size: int) -> str:
    return f"{size / 1e9:,.2f} GB"
