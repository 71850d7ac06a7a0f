"""Validate the options of members against the parameters that receive them."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pydantic

from sensorium.config._misplaced import belongs_to
from sensorium.config._requirement import requirement
from sensorium.config._spelling import as_given
from sensorium.config._types import FINITE
from sensorium.errors import ConfigError, SensoriumError, did_you_mean, near_name, raise_together
from sensorium.registry import KINDS, REGISTRIES
from sensorium.registry.renames import OPTION, find_rename

LARGEST_WHOLE = 2**31 - 1
CHOSEN = ("modality", "encoder", "fusion", "head")  # kinds that are set as `{"name": …, option: …}`


def check_options(function: Callable[..., Any], options: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Validate options against the keyword-only parameters of `function`, by its type hints.

    Raises:
        ConfigError: an option is unknown or has a wrong type. The error lists all of them.
    """
    if not options:
        return {}
    hints = option_hints(function)
    allowed = [*hints]
    checked, faults = {}, list[SensoriumError]()
    for name, value in options.items():
        if name not in allowed:
            faults.append(
                _renamed(function, name, place, allowed)
                or _member_error(function, name, value, place)
                or ConfigError(f"unknown option {name!r}", place=place, cure=_cure(function, name, allowed))
            )
            continue
        try:
            checked[name] = pydantic.TypeAdapter(hints[name], config=FINITE).validate_python(value)
            if _is_too_large(checked[name]):
                rule = f"an integer of at most {LARGEST_WHOLE:,}"
                faults.append(ConfigError(f"option {name!r} cannot be {as_given(value)}", place=place, rule=rule))
        except pydantic.ValidationError as error:
            rule, _ = requirement(hints[name], error.errors()[0])
            faults.append(ConfigError(f"option {name!r} cannot be {as_given(value)}", place=place, rule=rule))
    raise_together(faults)
    return checked


def _cure(function: Callable[..., Any], name: str, allowed: Sequence[str]) -> str:
    """Return options of similar names, or else which members have an option of this name."""
    own, (kind, _, member) = did_you_mean(name, allowed), _owner(function).partition(" ")
    near = near_name(name, allowed) is not None or own.startswith("did you mean")
    elsewhere = belongs_to(kind, member, name) if kind in CHOSEN and not near else ""
    listed = f"; the options of {member} are {', '.join(allowed)}" if allowed else ""
    return f"{elsewhere}{listed}" if elsewhere else own


def _is_too_large(value: Any) -> bool:
    """Return whether a value is, or lists, an integer that no size can have."""
    values = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(each, int) and abs(each) > LARGEST_WHOLE for each in values)


def _member_error(function: Callable[..., Any], name: str, value: Any, place: str) -> ConfigError | None:
    """Return the error of `{"weighted_sum": {…}}` where `{"name": "weighted_sum", …}` is expected; else None."""
    kind, _, own = _owner(function).partition(" ")
    if kind not in CHOSEN or name not in KINDS[kind].entries:
        return None
    meant = {"name": name, **value} if isinstance(value, Mapping) and value else name
    return ConfigError(
        f"{name!r} is a registered {kind}, not an option",
        place=place.replace(f" {own!r}", "", 1),  # the one that takes the options is a default: nobody chose it
        rule="name and options are keys of the same mapping",
        cure=f"write {meant!r}",
    )


def _renamed(function: Callable[..., Any], name: str, place: str, allowed: Sequence[str]) -> ConfigError | None:
    found = find_rename(OPTION, name, _owner(function))
    if found is None or found.new not in allowed:
        return None
    cure = f"write {found.new!r} instead of {name!r}"
    return ConfigError(f"option {name!r} was renamed {found.new!r}", place=place, rule=found.rule, cure=cure)


def _owner(function: Callable[..., Any]) -> str:
    """Return the kind and name of the member that receives the options, such as `augmentation flip`."""
    module = getattr(function, "__self__", function).__module__
    name = module.rpartition(".")[2]
    kinds = [r.kind for r in REGISTRIES if name in r.entries and r.entries[name].module == module]
    return f"{kinds[0]} {name}" if kinds else ""


def option_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return option → type: the keyword-only parameters of a class or a function."""
    return dict(_option_hints(function))


@lru_cache(maxsize=1024)
def _option_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Compute the hints once per member: a wide table asks for those of one modality once per column."""
    names = [n for n, p in inspect.signature(function).parameters.items() if p.kind is p.KEYWORD_ONLY]
    if not names:
        return {}
    taker = inspect.getattr_static(function, "__init__") if isinstance(function, type) else function
    hints = typing.get_type_hints(taker, include_extras=True)
    return {name: hints[name] for name in names}


def check_heads(heads: int, width: int, place: str) -> None:
    """Check that attention can divide its width among its heads.

    Raises:
        ConfigError: the width is not divisible by the number of heads.
    """
    if width % heads:
        fitting = ", ".join(str(n) for n in range(1, min(width, 16) + 1) if width % n == 0)
        raise ConfigError(
            f"width ({width}) must be divisible by heads ({heads})", place=place, cure=f"heads: one of {fitting}"
        )
