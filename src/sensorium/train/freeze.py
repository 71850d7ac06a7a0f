"""Freeze parts of a network: training does not change them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from torch import nn

from sensorium.errors import ConfigError, SensoriumError, did_you_mean, raise_together
from sensorium.model import FusionModel

PLACE = "train.freeze"


def freeze(model: FusionModel, patterns: Sequence[str]) -> None:
    """Freeze parameters, and keep modules that have only frozen parameters in evaluation mode.

    In a frozen tower, batch normalisation therefore keeps its statistics, and dropout is off. A pattern that matches
    nothing in this model is ignored: see `check_freeze`.

    Args:
        model: the network.
        patterns: towers, `fusion`, `head`, or globs of parameters such as `image.encoder.*` and `*.bias`.

    Raises:
        ConfigError: nothing is left to train.
    """
    chosen = {id(p) for name, p in named_parameters(model) if any(covers(pattern, name) for pattern in patterns)}
    for parameter in model.parameters():
        if id(parameter) in chosen:
            parameter.requires_grad_(False)
    model.frozen_modules = tuple(part for part in model.modules() if _holds_only(part, chosen))
    if patterns and not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError("nothing is left to train", place=PLACE, rule="at least one part is not frozen")


def check_freeze(model: FusionModel, patterns: Sequence[str]) -> None:
    """Check that every pattern matches parameters of the whole model.

    Raises:
        ConfigError: a pattern matches nothing. The error lists all such patterns, with similar names.
    """
    names = [name for name, _ in named_parameters(model)]
    parts = [name for name, part in model.parts if list(part.parameters())]
    faults: list[SensoriumError] = []
    for pattern in patterns:
        if not any(covers(pattern, name) for name in names):
            cure = did_you_mean(pattern, names if "." in pattern else parts)
            faults.append(ConfigError(f"no part of the model matches {pattern!r}", place=PLACE, cure=cure))
    raise_together(faults)


def named_parameters(model: FusionModel) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield each parameter under its public name: `TOWER.encoder…`, `TOWER.project…`, `fusion…`, `head…`."""
    for part, module in model.parts:
        yield from ((f"{part}.{name}", parameter) for name, parameter in module.named_parameters())


def covered(model: FusionModel, patterns: Sequence[str]) -> dict[str, bool]:
    """Map the public name of each parameter to whether the patterns freeze it."""
    return {name: any(covers(each, name) for each in patterns) for name, _ in named_parameters(model)}


def covers(pattern: str, name: str) -> bool:
    """Return whether the parameter is in the part of that name, or matches the pattern."""
    return name.startswith(f"{pattern}.") or fnmatchcase(name, pattern)


def _holds_only(part: nn.Module, chosen: set[int]) -> bool:
    own = [id(parameter) for parameter in part.parameters()]
    return bool(own) and chosen.issuperset(own)
