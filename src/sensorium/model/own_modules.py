"""Check that the user's own modules have values, can be copied, and can be handed to worker processes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from sensorium.errors import ConfigError, SensoriumError, raise_together

MOSTLY = "an open file, a lock, a generator or a tensor with a gradient history"


def check_modules(modules: Mapping[str, nn.Module], *, workers: int = 1) -> None:
    """Check the user's own modules before any work.

    Args:
        modules: tower → module.
        workers: number of processes that train.

    Raises:
        ConfigError: a module has weights without values, cannot be copied, or cannot be handed to worker processes.
            The error lists all of them.
    """
    raise_together([fault for name, module in modules.items() if (fault := _fault_of(name, module, workers))])


def check_initialized(name: str, module: nn.Module) -> None:
    """Check that a module, which was run on sample cells, has no layer that does not know its size yet.

    Args:
        name: the tower.
        module: the user's own module.

    Raises:
        ConfigError: a lazy layer was not run.
    """
    if weight := next((weight for weight, value in _weights_of(module) if is_lazy(value)), None):
        raise ConfigError(
            f"the weight {weight!r} of the module {type(module).__name__} is not initialized",
            place=f"encoders.{name}",
            rule="forward runs every lazy layer (such as torch.nn.LazyLinear) of the module",
            cure="run the layer once on an example, give it its sizes, or remove it",
        )


def _weights_of(module: nn.Module) -> Iterator[tuple[str, Any]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _fault_of(name: str, module: nn.Module, workers: int) -> SensoriumError | None:
    place, kind = f"encoders.{name}", type(module).__name__
    if not isinstance(module, nn.Module):
        return ConfigError(f"{kind} is not a type of module", place=place, rule="a torch.nn.Module")
    if weight := next((weight for weight, value in _weights_of(module) if value.is_meta), None):
        return ConfigError(
            f"the weight {weight!r} of the module {kind} has no values: it is on the device meta",
            place=place,
            rule="every weight of the module has values",
            cure="create the module on the CPU, or call module.to_empty(device='cpu') and load its weights",
        )
    if reason := _failure(copy.deepcopy, module):
        cure = f"remove the attributes of the module that cannot be copied (often {MOSTLY}), or create them in forward"
        rule = "each model has a copy of the module: copy.deepcopy(module) works"
        return ConfigError(f"the module {kind} cannot be copied: {reason}", place=place, rule=rule, cure=cure)
    if workers != 1 and (reason := _failure(_by_pickle, module)):
        cure = f"set workers=1, or remove the attributes of the module that cannot be pickled (often {MOSTLY})"
        rule = "worker processes receive the module pickled"
        return ConfigError(
            f"the module {kind} cannot be handed to worker processes: {reason}", place=place, rule=rule, cure=cure
        )
    return None


def _by_pickle(module: nn.Module) -> Any:
    import cloudpickle  # type: ignore[import-untyped]

    return pickle.loads(cloudpickle.dumps(module))


def _failure(copied: Callable[[Any], Any], module: nn.Module) -> str:
    """Return why a module cannot be copied; empty if it can."""
    try:
        copied(module)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises
        return f"{type(error).__name__}: {error}"
    return ""
