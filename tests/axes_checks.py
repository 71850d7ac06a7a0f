"""Checks of the axes that annotations name: `Float[Tensor, "b d"]` is checked in every call of a test.

An import hook (`axes`) decorates the functions and data classes of packages that handle tensors. Arguments and result
are checked in one pass, calls with the types and sizes of an earlier call are not checked again, and functions whose
annotations name no axes are left alone, so that networks train in tests at about the speed that they have for users.
(The hook of jaxtyping checks arguments three times.)
"""

import inspect
import types
from functools import wraps

import beartype
import jaxtyping
from beartype.door import die_if_unbearable
from jaxtyping import AbstractArray, jaxtyped
from torch import Tensor
from torch.nn import Parameter


def checked(fn):
    """Decorate a function or data class whose annotations name axes."""
    if inspect.isclass(fn):
        if "__dataclass_fields__" in vars(fn):
            fn.__init__ = checked(fn.__init__)
        return fn
    hints = _hints(fn)
    arrays = [array for hint in hints.values() for array in _arrays(hint)]
    if not arrays:
        return fn
    plain = types.FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    plain.__kwdefaults__, plain.__annotations__, plain.__qualname__ = fn.__kwdefaults__, hints, fn.__qualname__
    plain.__module__ = fn.__module__
    strict = beartype.beartype(plain)
    if any("{" in array.dim_str for array in arrays):  # an axis as long as an argument says
        return _checking(fn, jaxtyped(strict, typechecker=None))
    return _comparing(fn, strict, hints)


def _checking(fn, strict):
    """Check every call."""

    @wraps(fn)
    def check(*args, **kwargs):
        if jaxtyping.config.jaxtyping_disable:
            return fn(*args, **kwargs)
        with jaxtyped("context"):
            return strict(*args, **kwargs)

    return check


def _comparing(fn, strict, hints):
    """Check calls whose arguments or result have other types and sizes than in the calls before."""
    check, names, known = _checking(fn, strict), inspect.signature(fn).parameters, set()

    @wraps(fn)
    def compare(*args, **kwargs):
        if jaxtyping.config.jaxtyping_disable:
            return fn(*args, **kwargs)
        given = _sizes(args), _sizes(kwargs)
        result = check(*args, **kwargs) if (new := given not in known) else fn(*args, **kwargs)
        if (call := (given, _sizes(result))) not in known:
            if not new:
                _examine([*zip(names, args, strict=False), *kwargs.items(), ("return", result)], hints)
            known.update([given, call])
        return result

    return compare


def _examine(values, hints):
    """Check arguments and result together, after the call."""
    with jaxtyped("context"):
        for name, value in values:
            die_if_unbearable(value, hints.get(name, object))


def _sizes(value):
    """Describe types, sizes and plain values: all that annotations of arrays can say of a value."""
    if isinstance(value, Tensor):
        traced = type(value) not in (Tensor, Parameter)  # its sizes are symbols
        return object() if traced else (value.shape, value.dtype)
    if isinstance(value, list | tuple):
        return type(value), *map(_sizes, value)
    if isinstance(value, dict):
        return type(value), *((name, _sizes(part)) for name, part in value.items())
    return type(value)


def _hints(fn):
    """Name → annotation, without those of names that are only imported for type checkers."""
    hints = {}
    for name, hint in fn.__annotations__.items():
        try:
            hints[name] = eval(hint, fn.__globals__) if isinstance(hint, str) else hint
        except NameError:
            continue
    return hints


def _arrays(hint):
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return [hint]
    return [array for part in getattr(hint, "__args__", ()) for array in _arrays(part)]
