"""Resolve the fusion of a network: a registered one, or the user's own."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sensorium.config import check_options
from sensorium.errors import ConfigError
from sensorium.model.own_modules import OWN_FUSION, OwnModules, check_fusion_class, plain_fusion
from sensorium.registry import fusions
from sensorium.registry.failures import remember_own

PROBE = 8  # width of the fusion that a function makes so that its level is known


@dataclass(frozen=True)
class FusionKind:
    """Class, function or module that gives a fusion.

    Attributes:
        name: its name in the settings.
        level, own_widths: as in the protocol `Fusion`.
        make: class, function or module.
    """

    name: str
    level: str
    own_widths: bool
    make: Any

    def check_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check the options of the fusion.

        Raises:
            ConfigError: an option is unknown or has a wrong type. The error lists all of them.
        """
        source = self.make.func if isinstance(self.make, functools.partial) else self.make
        taker = _no_options if isinstance(source, nn.Module) else source
        return check_options(taker, options, f"fusion {plain_fusion(self.name)!r}")

    def build(self, widths: Sequence[int], width: int, options: Mapping[str, Any]) -> Any:
        """Build the fusion; a module of the user is itself.

        Raises:
            ConfigError: the user's function makes no module, or the module lacks something.
        """
        if isinstance(self.make, nn.Module):
            return self.make
        built = self.make(list(widths), width, **self.check_options(options))
        if self.name.startswith(OWN_FUSION) and not isinstance(self.make, type):
            _check_made(built, self.name)
        return built


def fusion_kind(name: str, own: OwnModules) -> FusionKind:
    """Return the fusion of a name.

    Raises:
        UnknownNameError: no fusion of this name is registered.
        ConfigError: a fusion of the user was not passed, or lacks something.
    """
    if not name.startswith(OWN_FUSION):
        kind = fusions.load(name)
        return FusionKind(name, kind.level, kind.own_widths, kind)
    make, plain = own.fusion(name), plain_fusion(name)
    source: Any = make.func if isinstance(make, functools.partial) else make
    remember_own("fusion", plain, source)
    if not isinstance(source, type | nn.Module):
        with torch.random.fork_rng():  # the caller's generator stays as it is
            source = make([PROBE, PROBE], PROBE)
        _check_made(source, name)
        remember_own("fusion", plain, source)
    return FusionKind(name, source.level, source.own_widths, make)


def _check_made(built: object, name: str) -> None:
    if not isinstance(built, nn.Module):
        rule = "a function (widths, width) that returns a torch.nn.Module"
        raise ConfigError(f"the fusion {plain_fusion(name)!r} made a {type(built).__name__}", place="fusion", rule=rule)
    check_fusion_class(type(built), plain_fusion(name))


def _no_options() -> None:
    """Take no options: a module is already built."""
