"""Check the types of arguments that are no settings, such as the folder of a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
import pydantic

from sensorium.config._spelling import as_given
from sensorium.errors import ConfigError


class ArgumentType(NamedTuple):
    """A type, and the rule that an error states."""

    hint: Any
    rule: str


PATH = ArgumentType(str | os.PathLike, "a path: text or a pathlib.Path")
OPTIONAL_PATH = ArgumentType(PATH.hint | None, PATH.rule)
FLAG = ArgumentType(bool, "True or False")
NAMES = ArgumentType(str | Sequence[str] | None, "a name or a list of names")
COUNT = ArgumentType(Annotated[int, pydantic.Field(ge=1)], "an integer, at least 1")
COUNT_OR_SEEDS = ArgumentType(
    Annotated[int, pydantic.Field(ge=1)]
    | Annotated[Sequence[Annotated[int, pydantic.Field(ge=0, lt=2**63)]], pydantic.Field(min_length=1)],
    "the number of seeds, at least 1, or a list of one or more seeds, each an integer, at least 0",
)
TIME = ArgumentType(str | float | None, "a time such as '90s', '10m' or '1h30m', or a number of seconds")


def check_arguments(kind: ArgumentType, **values: Any) -> None:
    """Check arguments of one type.

    Raises:
        ConfigError: an argument is of another type.
    """
    adapter = pydantic.TypeAdapter[Any](kind.hint)
    for name, value in values.items():
        try:
            adapter.validate_python(_plain(value), strict=True)
        except pydantic.ValidationError:
            raise ConfigError(f"{name} cannot be {as_given(value)}", place=name, rule=kind.rule) from None


def _plain(value: Any) -> Any:
    """Return numbers of NumPy and ranges as Python's own numbers and lists."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if isinstance(value, range) else value
