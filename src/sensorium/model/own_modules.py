"""The user's own encoders and fusions, which are passed to `fit` and `compare`, and the checks of them."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from sensorium.errors import ConfigError, SensoriumError, raise_together
from sensorium.registry import check_member, fusions

OWN_FUSION = "module:"  # stands before the name of a fusion that the user passed
MAKER_TAKES = ("widths", "width")  # parameters of a function that makes a fusion
MOSTLY = "an open file, a lock, a generator or a tensor with a gradient history"


@dataclass(frozen=True)
class OwnModules:
    """Encoders and fusions of the user: modules, or classes or functions that make one.

    Attributes:
        encoders: tower → module or maker.
        fusions: name, such as `module:MyFusion` → module or maker.
    """

    encoders: Mapping[str, Any] = field(default_factory=dict)
    fusions: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.encoders or self.fusions)

    def copied(self) -> OwnModules:
        """Return copies of the modules; a module that is used twice stays one."""
        return copy.deepcopy(self)

    def fusion(self, name: str) -> Any:
        """Return the fusion of a name.

        Raises:
            ConfigError: it was not passed.
        """
        if name in self.fusions:
            return self.fusions[name]
        if len(self.fusions) == 1 and name.startswith(OWN_FUSION):  # its class was renamed since the model was saved
            return next(iter(self.fusions.values()))
        raise ConfigError(
            f"the fusion {name!r} is your own module, which is not saved with the model",
            place="fusion",
            cure=f"pass it again: fusion={plain_fusion(name)}",
        )


NO_MODULES = OwnModules()


def plain_fusion(name: str) -> str:
    """Return the name of a fusion in messages and results: that of the class or function, without `module:`."""
    return name.removeprefix(OWN_FUSION)


def is_maker(value: object) -> bool:
    """Return whether a value is a module, or a class or a function that makes one; no text and no mapping is."""
    return isinstance(value, nn.Module) or (callable(value) and not isinstance(value, Mapping))


def own_name(maker: Any) -> str:
    """Return the name of a fusion of the user in settings and results; a registered class has its registered name."""
    source = maker.func if isinstance(maker, functools.partial) else maker
    source = type(source) if isinstance(source, nn.Module) else source
    for name, entry in fusions.entries.items():
        if entry.module == getattr(source, "__module__", "") and not isinstance(maker, functools.partial | nn.Module):
            return name
    name = getattr(source, "__name__", type(source).__name__)
    return f"{OWN_FUSION}{name if name.isidentifier() else 'fusion'}"


def check_modules(own: OwnModules, *, workers: int = 1) -> None:
    """Check the user's own modules before any work.

    Args:
        own: the modules.
        workers: number of processes that train.

    Raises:
        ConfigError: a module lacks a method or an attribute, has weights without values, cannot be copied, or cannot be
            handed to worker processes. The error lists all of it.
    """
    faults = [fault for name, maker in own.encoders.items() for fault in _faults_of_encoder(name, maker)]
    faults += [fault for name, maker in own.fusions.items() for fault in _faults_of_fusion(name, maker)]
    both = {f"encoders.{name}": maker for name, maker in own.encoders.items()}
    both |= {f"fusion {plain_fusion(name)!r}": maker for name, maker in own.fusions.items()}
    faults += [fault for place, maker in both.items() if (fault := _fault_of(place, maker, workers))]
    raise_together(faults)


def _faults_of_encoder(name: str, maker: Any) -> Iterator[SensoriumError]:
    """Yield what an encoder lacks; what a function makes is checked when it is called."""
    kind = maker if isinstance(maker, type) else type(maker)
    place, rule = f"encoders.{name}", "a torch.nn.Module, or a class or a function that makes one"
    if (isinstance(maker, type) and not issubclass(maker, nn.Module)) or not is_maker(maker):
        yield ConfigError(f"{kind.__name__} is not a type of module", place=place, rule=rule)
    elif issubclass(kind, nn.Module) and kind.forward is nn.Module.forward:
        rule = "forward(self, values) returns a tensor (b, d), (b, t, d) or (b, d, h, w)"
        yield ConfigError(f"the module {kind.__name__} lacks the method forward", place=place, rule=rule)


def _faults_of_fusion(name: str, maker: Any) -> Iterator[SensoriumError]:
    """Yield what a fusion lacks; what a function makes is checked when it is called."""
    source = maker.func if isinstance(maker, functools.partial) else maker
    kind = source if isinstance(source, type) else type(source) if isinstance(source, nn.Module) else None
    plain = plain_fusion(name)
    if kind is not None:
        try:
            check_fusion_class(kind, plain)
        except SensoriumError as error:
            yield from error.faults or [error]
        if isinstance(source, nn.Module) and not isinstance(getattr(source, "width", None), int):
            yield _lacks_width(plain)
    elif fault := _fault_of_parameters(source):
        rule = "a class, a module, or a function (widths, width) that makes one"
        yield ConfigError(f"the fusion {plain!r} {fault}", place="fusion", rule=rule)


def check_fusion_class(kind: type, name: str) -> None:
    """Check a class against the contract of fusions.

    Raises:
        ConfigError: something is missing. The error lists all of it.
    """
    assert fusions.contract is not None
    check_member(kind, fusions.contract, package=fusions.package, kind="fusion", name=name, place=_defined_in(kind))


def _defined_in(kind: type) -> str:
    return f"fusion, the class {kind.__module__}.{kind.__qualname__}"


def _lacks_width(name: str) -> ConfigError:
    rule = "width is the width d of the fused vector (b, d): an integer"
    return ConfigError(f"the fusion {name!r} lacks the attribute width", place="fusion", rule=rule)


def _fault_of_parameters(function: Any) -> str:
    """Return why a function cannot be called with widths and width; empty if it can."""
    if not callable(function):
        return "is not a class, a module or a function"
    signature = inspect.signature(function)
    try:
        signature.bind([], 0)
    except TypeError:
        parameters = signature.parameters.values()
        taken = sum(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters)
        if missing := [repr(name) for name in MAKER_TAKES[taken:]]:
            return f"lacks the parameter{'s' * (len(missing) > 1)} {' and '.join(missing)}"
        required = [repr(each.name) for each in parameters if each.default is each.empty]
        return f"requires more than two arguments: {', '.join(required)}"
    return ""


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


def _weights_of(module: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(module, nn.Module):
        yield from module.named_parameters()
        yield from module.named_buffers()


def _fault_of(place: str, module: Any, workers: int) -> SensoriumError | None:
    """Return why a module cannot be used by several models or in several processes."""
    kind = getattr(module, "__name__", type(module).__name__)
    if not is_maker(module):
        return None
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


def _by_pickle(module: Any) -> Any:
    import cloudpickle  # type: ignore[import-untyped]

    return pickle.loads(cloudpickle.dumps(module))


def _failure(copied: Callable[[Any], Any], module: Any) -> str:
    """Return why a module cannot be copied; empty if it can."""
    try:
        copied(module)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises
        return f"{type(error).__name__}: {error}"
    return ""
