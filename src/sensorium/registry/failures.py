"""Convert an exception in the code of a member that is not Sensorium's into an error that names it.

Nothing is wrapped around the calls of members, which may be compiled or exported: the traceback shows whose code
raised the exception, and the arguments that it got.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sensorium.errors import ConfigError, SensoriumError
from sensorium.errors.memory import is_lack_of_memory
from sensorium.registry import KINDS, Registry

SHOWN = 4  # parts of an argument
LONGEST = 300  # characters of another error
OF_MODULES = "forward(self, values) returns a tensor (b, d), (b, t, d) or (b, d, h, w)"  # of a passed encoder


class MemberError(ConfigError):
    """A member of another package, or a module of the caller, failed; an exception that it raised is the cause.

    Example:
        >>> from sensorium.fusion import BaseFusion
        >>> class Broken(BaseFusion):
        ...     def forward(self, tokens, present):
        ...         return tokens[0].values @ present
        >>> try:
        ...     sensorium.fit("films.csv", "genre", fusion=Broken, progress=False)
        ... except sensorium.ConfigError as error:
        ...     print(error.place, type(error.__cause__).__name__)
        fusion 'Broken', forward RuntimeError
    """


_OWN: weakref.WeakKeyDictionary[Any, tuple[str, str]] = weakref.WeakKeyDictionary()  # class or function → kind, name


def remember_own(kind: str, name: str, member: Any) -> None:
    """Remember a class, a function or an object of the caller, so that its exceptions name it."""
    owner = member if isinstance(member, type) or inspect.isfunction(member) else type(member)
    if not owner.__module__.startswith("torch."):  # which other parts of a network use as well
        _OWN[owner] = (kind, name)


@contextmanager
def explain_member_errors() -> Iterator[None]:
    """Convert exceptions in the code of members of other packages, and of the caller's modules.

    Raises:
        MemberError: the code raised an exception. The error names the member, the method and the shapes it got.
    """
    try:
        yield
    except SensoriumError:
        raise
    except Exception as error:
        found = _find_member(error)
        if found is None or is_lack_of_memory(error):
            raise
        kind, name, frame = found
        passed, step = name not in KINDS[kind].entries, frame.f_code.co_name
        raise member_error(kind, name, step, error, given=_arguments(frame), passed=passed) from error


def member_error(
    kind: str, name: str, step: str, error: Exception | str, *, given: str = "", passed: bool = False
) -> MemberError:
    """Return the error about a member.

    Args:
        kind, name: of the member.
        step: its method.
        error: the exception, or what is wrong with the result.
        given: the arguments of the method.
        passed: whether the user passed it as an object, so that it has no registered name.
    """
    reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}".partition("\n")[0]
    registry, is_module = KINDS[kind], passed and kind == "encoder"
    expected = registry.contract.expected(registry.package, step) if registry.contract else ""
    expected = (OF_MODULES if step == "forward" else "") if is_module else expected
    contract = f"; the contract is {expected}" if expected else ""
    return MemberError(
        f"the {kind} {name!r} failed in {step}: {reason[:LONGEST]}",
        place=f"{kind} {name!r}, {step}",
        rule=f"{step} was called with {given}{contract}" if given else contract.removeprefix("; "),
        cure=f"correct {name}" if is_module else _cure(registry, name),
    )


def _cure(registry: Registry, name: str) -> str:
    check = registry.contract.check if registry.contract else ""
    return f"correct {name}; sensorium.testing.{check} runs it on small examples" if check else f"correct {name}"


def _find_member(error: BaseException) -> tuple[str, str, FrameType] | None:
    """Return kind, name and frame of the member whose code was called first."""
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        found = _owner_of(frame)
        if found:
            return (*found, frame)
        trace = trace.tb_next
    return None


def _owner_of(frame: FrameType) -> tuple[str, str] | None:
    module = str(frame.f_globals.get("__name__", ""))
    if module.partition(".")[0] == "torch":  # its frames have the module as `self`, too
        return None
    for own, found in list(_OWN.items()):
        if getattr(own, "__code__", None) is frame.f_code or type(frame.f_locals.get("self")) is own:
            return found
    if module.partition(".")[0] == "sensorium":
        return None
    for registry in KINDS.values():
        name = module.rpartition(".")[2]
        if name in registry.entries and registry.entries[name].module == module:
            return registry.kind, name
    return None


def _arguments(frame: FrameType) -> str:
    """Describe the arguments of a call by their types and shapes, without any value of a table."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount]
    values = {name: frame.f_locals[name] for name in names if name not in ("self", "cls") and name in frame.f_locals}
    return ", ".join(f"{name}: {shape_of(value)}" for name, value in values.items())


def shape_of(value: Any) -> str:
    """Describe a value by its type and shape: `float32[24, 128]`, `Tokens float32[24, 1, 128]`."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{str(value.dtype).removeprefix('torch.')}{[*value.shape]}"
    inner = getattr(value, "values", None)
    if hasattr(inner, "shape"):
        return f"{type(value).__name__} {shape_of(inner)}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        more = ", …" if len(value) > SHOWN else ""
        kind = "" if isinstance(value, list) else f"{type(value).__name__} "
        return f"{kind}[{', '.join(map(shape_of, value[:SHOWN]))}{more}]"
    return f"{type(value).__name__} of {len(value)}" if isinstance(value, Mapping) else type(value).__name__
