"""Compare the weights of a file with the network before memory is allocated for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as registration

from sensorium.errors import ArtifactError, ConfigError
from sensorium.model import on_meta

FLOOR = 1024  # parts that any model may have, whatever its file holds
# Of a pair, such as texts and pictures, one half is kept; most modules have no weights of their own.
TENSORS, NUMBERS, MODULES = 16, 8, 64
LEARNT_SIZES = "learnt_sizes"  # names of a module's buffers whose sizes are what was learned


def check_finite(weights: Mapping[str, Tensor], place: str) -> None:
    """Raise ArtifactError if a weight is not finite."""
    for name, value in weights.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ArtifactError(
                f"the weights {name!r} contain NaN or infinite values", place=place, cure="fit the model again"
            )


def build_checked(build: Callable[[], nn.Module], weights: Mapping[str, Tensor], place: str) -> Any:
    """Compare the network, built on the meta device, with its weights; then build it in memory.

    A network with a part whose constructor needs values, which tensors on the meta device lack, is compared in memory.

    Raises:
        ArtifactError: the network has other weights, or far more modules than the file has weights.
    """
    outline = _outlined(build, weights, place)
    if outline is not None:
        _compare(outline, weights, place)
    with _bounded(weights, place):
        found = build()
    if outline is None:
        _compare(found, weights, place)
    _compare_places(found, weights, place)
    return found


def _outlined(build: Callable[[], nn.Module], weights: Mapping[str, Tensor], place: str) -> nn.Module | None:
    try:
        with _bounded(weights, place), on_meta():
            return build()
    except (RuntimeError, NotImplementedError) as error:
        if "meta tensor" not in str(error):
            raise
        return None


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], place: str) -> None:
    """Load the weights of a file into the network.

    Raises:
        ConfigError: a module of the user shares weights that differ in the file.
    """
    network.load_state_dict(weights)
    for name, value in network.state_dict().items():
        if not torch.equal(value, weights[name]):
            raise ConfigError(
                f"the module ties the weights {name!r} to others, but the saved model has different values for them",
                place=place,
                rule="weights are tied as they were in training",
                cure="pass a module that ties the same weights as in training",
            )


def _compare(plan: nn.Module, weights: Mapping[str, Tensor], place: str) -> None:
    free = {
        f"{owner}.{name}" if owner else name
        for owner, module in plan.named_modules()
        for name in getattr(module, LEARNT_SIZES, ())
    }
    wanted = plan.state_dict()
    odd = sorted(wanted.keys() ^ weights.keys())
    if odd:
        named, other = f"the weights {odd[0]!r}", "which the network"
        fault = f"lacks {named}, {other} has" if odd[0] in wanted else f"has {named}, {other} does not have"
        raise ArtifactError(f"the model does not fit its weights: the file {fault}", place=place)
    for name, value in wanted.items():
        found = weights[name]
        shapes = (len(found.shape), len(value.shape)) if name in free else (found.shape, value.shape)
        if shapes[0] != shapes[1] or found.dtype != value.dtype:
            raise ArtifactError(
                f"the model does not fit its weights: {name!r} is {_form(found)}, the network has {_form(value)}",
                place=place,
            )


def _compare_places(network: nn.Module, weights: Mapping[str, Tensor], place: str) -> None:
    """Check that saved index tables are those that the network computes; they are not learned."""
    for owner, module in network.named_modules():
        if hasattr(module, LEARNT_SIZES) or isinstance(module, nn.modules.batchnorm._NormBase):
            continue
        for name, value in module.named_buffers(owner, recurse=False):
            if value.dtype in (torch.int32, torch.int64) and name in weights and not torch.equal(value, weights[name]):
                raise ArtifactError(
                    f"the saved indices {name!r} differ from those that the network computes", place=place
                )


def _form(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"


@contextmanager
def _bounded(weights: Mapping[str, Tensor], place: str) -> Iterator[None]:
    """Raise an error if this thread builds modules with far more parts than there are weights."""
    numbers = sum(value.numel() for value in weights.values())
    left = {
        "parameters": FLOOR + TENSORS * len(weights),
        "modules": FLOOR + MODULES * len(weights),
        "numbers": FLOOR**2 + NUMBERS * numbers,
    }
    thread = threading.get_ident()

    def spend(kind: str, count: int) -> None:
        left[kind] -= count
        if left[kind] < 0:
            raise ArtifactError(
                f"the model requires far more {kind} than its file contains",
                place=place,
                rule=f"{len(weights):,} tensors of {numbers:,} numbers",
            )

    def on_parameter(module: nn.Module, name: str, value: Tensor | None) -> None:
        if threading.get_ident() == thread and value is not None and not _is_lazy(value):
            spend("parameters", 1)
            spend("numbers", value.numel())

    def on_buffer(module: nn.Module, name: str, value: Tensor | None) -> None:
        if threading.get_ident() == thread and value is not None:
            spend("numbers", value.numel())

    def on_module(module: nn.Module, name: str, value: nn.Module | None) -> None:
        if threading.get_ident() == thread:
            spend("modules", 1)

    with ExitStack() as stack:
        for register, hook in (
            (registration.register_module_parameter_registration_hook, on_parameter),
            (registration.register_module_buffer_registration_hook, on_buffer),
            (registration.register_module_module_registration_hook, on_module),
        ):
            stack.callback(register(hook).remove)
        yield


def _is_lazy(value: Tensor) -> bool:
    return isinstance(value, nn.UninitializedParameter | nn.UninitializedBuffer)
