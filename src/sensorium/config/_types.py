"""Types of the values of settings and options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from sensorium.config._arguments import PATH, is_path


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("an odd number, so that a filter has a middle")
    return value


def _named(value: Any) -> Any:
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    if not isinstance(value, Mapping):
        raise ValueError("a list of names, or names with their options")
    return {name: {} if options is None else options for name, options in value.items()}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def spelt_words(value: Any) -> Any:
    """Convert numbers among words to text, as YAML reads -99999 as a number; write integers without a point."""
    words = value if isinstance(value, list | tuple) else [value]
    return [_spelling(word) if isinstance(word, int | float) and not isinstance(word, bool) else word for word in words]


def _whole(words: list[str]) -> list[str]:
    """Refuse half a character (a lone surrogate), which no cell can hold."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{word!r} contains half a character (a lone surrogate)") from None
    return words


def _path(value: Any) -> str | bytes:
    if not is_path(value):
        raise ValueError(PATH.rule)
    return os.fspath(value)


def _spelling(number: float) -> str:
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


FINITE = ConfigDict(allow_inf_nan=False)
Fraction = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Decibels = Annotated[float, Field(gt=0, le=100)]
Odd = Annotated[PositiveInt, pydantic.AfterValidator(_odd)]
Side = Annotated[int, Field(gt=0, le=4096)]  # of a picture, in pixels
Many = Annotated[int, Field(gt=0, le=1_000_000)]  # parts of a cell: steps, tokens, pictures
Depth = Annotated[int, Field(gt=0, le=256)]  # how often a part of a network is repeated
Sizes = Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=256)]
Names = Annotated[list[str], Field(min_length=1), pydantic.BeforeValidator(_listed)]
Some = Annotated[list[str], pydantic.BeforeValidator(_listed)]
Words = Annotated[list[str], pydantic.BeforeValidator(spelt_words), pydantic.AfterValidator(_whole)]
Location = Annotated[str, pydantic.BeforeValidator(_path)]
Named = Annotated[dict[str, dict[str, Any]], pydantic.BeforeValidator(_named)]


class CallerOnly:
    """Marker of a setting that models do not save, because it decides what is read, fetched, run or written."""


CALLER_ONLY = CallerOnly()


class Strict(BaseModel):
    """Group of settings that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


class Choice(BaseModel):
    """Registered name with options: `gated`, or `{name: attention, heads: 2}`."""

    model_config = ConfigDict(extra="allow")
    name: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    @classmethod
    def of(cls, name: str, options: Mapping[str, Any] | None = None) -> Choice:
        return cls.model_validate({"name": name, **(options or {})})
