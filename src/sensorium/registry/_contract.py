"""Check a member of another author against the contract of its kind, and list everything that it lacks.

The requirements are read from the base class or protocol in the file `_base` of the kind's folder: its abstract
methods, class attributes without a value, and constructor.
"""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, get_args, get_origin

from sensorium.errors import ConfigError, SensoriumError, raise_together

LITERALS = {
    "ACCEPTS": "the modalities that it takes",
    "TASKS": "the tasks that it supports, by name or trait",
}
IN_PROTOCOLS = "__call__"  # the method of a protocol that a module implements as `forward`


@dataclass(frozen=True)
class Contract:
    """Where the requirements of a kind are.

    Attributes:
        base: base class or protocol in the file `_base` of the folder; empty if the members are functions.
        defaults: base class that has defaults and fulfils the protocol; empty if it is `base` itself or there is none.
        check: function of `sensorium.testing` that tests the rest; empty if there is none.
        takes: positional parameters of a member that is a function.
        maker: the method that makes an object and receives the options.
        of_spec: whether the constructor takes entries of an encoder specification, which depend on the modality.
        literals: literals that the file must have.
    """

    base: str = ""
    defaults: str = ""
    check: str = ""
    takes: tuple[str, ...] = ()
    maker: str = "__init__"
    of_spec: bool = False
    literals: tuple[str, ...] = ()

    def class_in(self, package: str) -> Any:
        """Return the base class, or None."""
        return getattr(importlib.import_module(f"{package}._base"), self.base) if self.base else None

    def advice(self, package: str, kind: str, name: str) -> str:
        """Return how to mend a member that lacks something."""
        defaults = self.defaults or (self.base if self._is_class(package) else "")
        own = f"inherit from {package}.{defaults}, which has defaults for what may be left out" if defaults else ""
        check = f"test the rest with sensorium.testing.{self.check}({name!r})" if self.check else ""
        return "; ".join(filter(None, (own, check))) or f"see docs/architecture.md, adding a member ({kind})"

    def _is_class(self, package: str) -> bool:
        return bool(self.base) and not getattr(self.class_in(package), "_is_protocol", False)

    def expected(self, package: str, step: str) -> str:
        """Return the signature of a method of the contract; empty if it has no such method."""
        base = self.class_in(package)
        if base is None:
            return f"({', '.join(self.takes)})" if self.takes else ""
        for name in (step, IN_PROTOCOLS) if step == "forward" else (step,):
            method = inspect.getattr_static(base, name, None)
            if name == "__init__" and (self.of_spec or method is object.__init__):
                return ""
            if method is not None and _function(method) is not None:
                return _signature(step, method)
        return ""


def check_member(member: Any, contract: Contract, *, package: str, kind: str, name: str, place: str) -> None:
    """Check a class or function against the contract of its kind, before it is used.

    Args:
        member: the class or function.
        contract: the contract of the kind.
        package: the folder of the kind, such as `sensorium.fusion`.
        kind, name: of the member, for messages.
        place: where it is defined or passed.

    Raises:
        ConfigError: something is missing or has a wrong form. The error lists all of it.
    """
    cure = contract.advice(package, kind, name)
    found = list(faults_of(member, contract, package))
    faults: list[SensoriumError] = [
        ConfigError(f"the {kind} {name!r} {finding}", place=place, rule=rule, cure=cure if number == len(found) else "")
        for number, (finding, rule) in enumerate(found, 1)
    ]
    raise_together(faults)


def faults_of(member: Any, contract: Contract, package: str) -> Iterator[tuple[str, str]]:
    """Yield a finding and a rule for each thing that a class or function lacks."""
    base = contract.class_in(package)
    if base is None:
        if not callable(member) or isinstance(member, type):
            yield "is not a function", f"a function of ({', '.join(contract.takes)})"
        elif contract.takes and not _accepts(member, len(contract.takes)):
            yield f"takes {_parameters(member)}", f"positional parameters ({', '.join(contract.takes)})"
        return
    if not isinstance(member, type):
        yield "is not a class", f"a class as {package}.{base.__name__} describes"
        return
    yield from _lacking_base(member, base, package)
    yield from _lacking(member, base)
    yield from _maker(member, base, contract)


def _lacking_base(member: type, base: type, package: str) -> Iterator[tuple[str, str]]:
    if getattr(base, "_is_protocol", False):
        if not any(each.__module__ == "torch.nn.modules.module" for each in member.__mro__):
            yield "is not a torch.nn.Module", "a subclass of torch.nn.Module"
    elif not issubclass(member, base):
        yield f"is not a subclass of {base.__name__}", f"a subclass of {package}.{base.__name__}"


def _lacking(member: type, base: type) -> Iterator[tuple[str, str]]:
    """Yield the attributes and methods that are missing or have a wrong form."""
    texts = _attribute_texts(base)
    for name, hint in _class_attributes(base).items():
        if not hasattr(member, name):
            yield f"lacks the class attribute {name}", f"{name}{_choices(hint)}: {texts.get(name, '')}".rstrip(": ")
        elif (allowed := _literals(hint)) and getattr(member, name) not in allowed:
            yield f"has {name} = {getattr(member, name)!r}", f"{name} is one of {', '.join(map(repr, allowed))}"
    for name, method in _methods(base).items():
        own = inspect.getattr_static(member, name, None)
        if own is None or own is method or getattr(own, "__name__", "") == "_forward_unimplemented":
            yield f"lacks the method {name}", f"{_signature(name, method)}: {_first_line(method)}"
        elif not _fits(own, method):
            yield f"has the method {name}{_parameters(own)}", f"it takes {_signature(name, method)}"


def _maker(member: type, base: type, contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield faults of the constructor, or of the method that makes an object.

    Its options need a type hint and a default; its positional parameters are those of the contract.
    """
    maker = member if contract.maker == "__init__" else getattr(member, contract.maker, None)
    try:
        parameters = inspect.signature(maker).parameters.values() if maker else ()
    except (TypeError, ValueError):
        return
    for option in (p for p in parameters if p.kind is p.KEYWORD_ONLY):
        if option.annotation is option.empty:
            yield f"has the option {option.name} without a type hint", f"{option.name}: int, which validates its values"
        if option.default is option.empty:
            yield f"has the option {option.name} without a default", "a keyword-only parameter has a default"
    is_init = contract.maker == "__init__" and not contract.of_spec
    names = _names(base.__init__) if is_init else None  # type: ignore[misc]  # of a class
    if names is not None and not _accepts(member, len(names)):
        yield f"has a constructor that takes {_parameters(member)}", f"__init__({', '.join(['self', *names])})"


def _class_attributes(base: type) -> dict[str, Any]:
    """Return name → type of the class attributes that have no default."""
    found: dict[str, Any] = {}
    for each in reversed(base.__mro__):
        found |= {name: hint for name, hint in vars(each).get("__annotations__", {}).items() if "ClassVar" in str(hint)}
    lacking = [name for name in found if not hasattr(base, name)]
    try:
        hints = typing.get_type_hints(base)
    except (NameError, TypeError):  # of a type that is imported for type checkers only
        hints = {}
    return {name: hints.get(name, found[name]) for name in lacking}


def _methods(base: type) -> dict[str, Any]:
    """Return name → method of those that a member must define."""
    if getattr(base, "_is_protocol", False):
        own = {name: value for name, value in vars(base).items() if _function(value) is not None}
        return {
            "forward" if name == IN_PROTOCOLS else name: value
            for name, value in own.items()
            if name == IN_PROTOCOLS or not name.startswith("_")
        }
    found = {name: inspect.getattr_static(base, name) for name in dir(base)}
    return {name: value for name, value in found.items() if getattr(value, "__isabstractmethod__", False)}


def _function(value: Any) -> Callable[..., Any] | None:
    """Return the function of a method, class method or property."""
    value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
    return value if inspect.isfunction(value) else None


def _fits(own: Any, method: Any) -> bool:
    """Return whether a method can be called as the contract calls it, with positional arguments."""
    function, of_base = _function(own), _function(method)
    if isinstance(method, property) or of_base is None:
        return True
    if function is None:
        return callable(own)
    wanted = [p for p in inspect.signature(of_base).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    return _accepts(function, len(wanted) - isinstance(own, staticmethod))


def _accepts(function: Any, count: int) -> bool:
    """Return whether a function accepts a number of positional arguments, leaving options aside."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    options = {p.name: None for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}
    try:
        signature.bind(*[None] * count, **options)
    except TypeError:
        return False
    return True


def _names(function: Any) -> list[str] | None:
    """Return the positional parameters of a constructor; None if it declares none."""
    if function is object.__init__ or not inspect.isfunction(function):
        return None
    parameters = list(inspect.signature(function).parameters.values())[1:]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def _signature(name: str, method: Any) -> str:
    """Spell a method without the types of its parameters: `forward(self, tokens, present) -> Float[Tensor, "b d"]`."""
    if isinstance(method, property):
        return f"{name} (a property)"
    function = _function(method)
    assert function is not None
    result = inspect.signature(function).return_annotation
    shown = f" -> {result}" if isinstance(result, str) else ""
    of_class = "@classmethod " if isinstance(method, classmethod) else ""
    return f"{of_class}{name}{_parameters(function)}{shown}"


def _parameters(function: Any) -> str:
    """Spell the parameters of a function without types."""
    try:
        parameters = inspect.signature(_function(function) or function).parameters.values()
    except (TypeError, ValueError):
        return "(…)"
    return f"({', '.join(map(_parameter, parameters))})"


def _parameter(parameter: inspect.Parameter) -> str:
    plain = parameter.default is None or isinstance(parameter.default, bool | int | float | str | tuple)
    if parameter.default is parameter.empty or plain:
        return str(parameter.replace(annotation=parameter.empty))
    return f"{parameter.name}=…"


def _first_line(method: Any) -> str:
    return (inspect.getdoc(method) or "").partition("\n")[0].rstrip(".")


def _literals(hint: Any) -> tuple[Any, ...]:
    """Return the values that a hint such as `ClassVar[Literal["a", "b"]]` allows; none if it allows any."""
    inner = get_args(hint)[0] if get_origin(hint) is ClassVar and get_args(hint) else hint
    return get_args(inner) if get_origin(inner) is typing.Literal else ()


def _choices(hint: Any) -> str:
    allowed = _literals(hint)
    return f" = {' or '.join(map(repr, allowed))}" if allowed else ""


def _attribute_texts(base: type) -> dict[str, str]:
    """Return attribute → description, from the sections `Attributes` and `Class attributes` of the docstring."""
    found, name = dict[str, str](), ""
    _, _, rest = (inspect.getdoc(base) or "").replace("Class attributes:\n", "Attributes:\n").partition("Attributes:\n")
    for line in rest.splitlines():
        if not line.strip():
            name = ""
        elif match := re.match(r"    (\w+): (.*)", line):
            name = match[1]
            found[name] = match[2]
        elif name:
            found[name] += f" {line.strip()}"
    return found
