"""Check the types of arguments that are no settings, such as the folder of a run."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import pydantic

from sensorium.config._spelling import as_given
from sensorium.errors import ConfigError

MAX_SEEDS = 1_000
MAX_FOLDS = 1_000
LISTED = 10_000  # numbers of a range that are looked at


class ArgumentType(NamedTuple):
    """A type, and the rule that an error states."""

    hint: Any
    rule: str


def is_path(value: object) -> bool:
    """Return whether the file system accepts a value as a path; nothing has to be there."""
    if not isinstance(value, str | os.PathLike):
        return False
    try:
        path = os.fspath(value)
    except TypeError:  # the object returns neither text nor bytes
        return False
    try:
        os.lstat(path)
    except OSError as error:
        return isinstance(path, str) and path != "" and error.errno != errno.ENAMETOOLONG
    except ValueError:  # a NUL character, or half a surrogate pair
        return False
    return isinstance(path, str)


def _if(holds: Callable[[Any], bool]) -> Any:
    """Return a type whose values pass a check."""

    def check(value: Any) -> Any:
        if not holds(value):
            raise ValueError
        return value

    return Annotated[Any, pydantic.AfterValidator(check)]


def _names_columns(value: Any) -> bool:
    names = [value] if isinstance(value, str | None) else value
    return isinstance(names, Collection) and all(isinstance(name, str | None) for name in names)


_Seed = Annotated[int, pydantic.Field(ge=0, lt=2**63)]
PATH = ArgumentType(_if(is_path), "a path: text or a pathlib.Path, not empty, not too long, without NUL characters")
OPTIONAL_PATH = ArgumentType(PATH.hint | None, PATH.rule)
FLAG = ArgumentType(bool | Literal[0, 1], "True or False")
OPTIONAL_FLAG = ArgumentType(FLAG.hint | None, "True, False or None")
NAME = ArgumentType(str, "a name")
OPTIONAL_NAME = ArgumentType(str | None, NAME.rule)
NAMES = ArgumentType(str | Sequence[str] | None, "a name or a list of names")
TARGET = ArgumentType(_if(_names_columns), "a column, or a list of columns")
_MAPPING = _if(lambda value: isinstance(value, Mapping | None))
SETTINGS = ArgumentType(_MAPPING, "a mapping of settings")
CONFIG = ArgumentType(SETTINGS.hint | PATH.hint, "a mapping, or the path of a YAML file")
ENCODERS = ArgumentType(_MAPPING, "a mapping: {column: encoder}")
SEED = ArgumentType(_Seed, "an integer, at least 0")
PROBABILITY = ArgumentType(
    Annotated[float, pydantic.Field(gt=0, lt=1)] | None, "a probability between 0 and 1, such as 0.9"
)
COUNT = ArgumentType(Annotated[int, pydantic.Field(ge=1)], "an integer, at least 1")
REPEATS = ArgumentType(
    Annotated[int, pydantic.Field(ge=1, le=MAX_FOLDS)], f"a number of repeats from 1 to {MAX_FOLDS:,}"
)
FOLDS = ArgumentType(
    Annotated[int, pydantic.Field(ge=2, le=MAX_FOLDS)] | None, f"a number of folds from 2 to {MAX_FOLDS:,}"
)
COUNT_OR_SEEDS = ArgumentType(
    Annotated[int, pydantic.Field(ge=1, le=MAX_SEEDS)]
    | Annotated[Sequence[_Seed], pydantic.Field(min_length=1, max_length=MAX_SEEDS)],
    f"a number of seeds from 1 to {MAX_SEEDS:,}, or a list of up to as many integers, at least 0",
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
            adapter.validate_python(as_plain(value), strict=True)
        except pydantic.ValidationError:
            raise ConfigError(f"{name} cannot be {as_given(value)}", place=name, rule=kind.rule) from None


def as_plain(value: Any) -> Any:
    """Return arrays and numbers of other libraries, and ranges, as Python's numbers and lists; of ranges, the start."""
    if hasattr(value, "tolist"):  # NumPy's and PyTorch's; a Series and an index of pandas
        return value.tolist()
    if isinstance(value, list | tuple | range):
        return [as_plain(part) for part in (value[:LISTED] if isinstance(value, range) else value)]
    return value
