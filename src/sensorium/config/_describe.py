"""Describe every setting and option: type, range, default and meaning."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sensorium.config._config import Config
from sensorium.config._docstrings import argument_texts
from sensorium.config._options import option_hints
from sensorium.config._renamed import current_setting
from sensorium.config._requirement import annotation_of, json_schema
from sensorium.config._tree import walk
from sensorium.config._type_words import type_in_words
from sensorium.errors import UnknownNameError, did_you_mean


@dataclass(frozen=True)
class Setting:
    """Description of a setting, or of an option of a member.

    Attributes:
        name: its name in `--set`.
        type: its type and range, in words.
        default: its default in YAML; empty if it is required.
        description: its meaning.
        caller_only: whether models do not save it.
    """

    name: str
    type: str
    default: str
    description: str
    caller_only: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def list_settings(prefix: str = "") -> list[Setting]:
    """List the settings, in the order of the tree.

    Args:
        prefix: list only this setting or this group, such as `train`. If there is none, list the settings with this
            last name (`learning_rate`), or else those whose names contain this text.

    Raises:
        UnknownNameError: no name of a setting contains it.
    """
    found = list(_settings())
    chosen = [s for s in found if not prefix or s.name == prefix or s.name.startswith(f"{prefix}.")]
    if chosen:
        return chosen
    current = current_setting(prefix)
    if current != prefix:
        cure = f"sensorium list settings {current}"
        raise UnknownNameError(f"the setting {prefix} was renamed {current}", place=prefix, cure=cure)
    by_part = [s for s in found if f".{prefix}." in f".{s.name}."] or [s for s in found if prefix in s.name]
    if by_part:
        return by_part
    groups = {s.name.rpartition(".")[0] for s in found} - {""}
    cure = did_you_mean(prefix, [*groups, *(s.name for s in found)])
    raise UnknownNameError(f"there is no setting {prefix!r}", cure=cure)


def list_options(taker: Callable[..., Any]) -> list[Setting]:
    """List the options of a member: the keyword-only parameters of a class or a function.

    Args:
        taker: the class or function that receives the options.
    """
    texts, parameters = argument_texts(taker), inspect.signature(taker).parameters
    return [
        Setting(name, type_in_words(json_schema(hint)), _spelt(parameters[name].default), texts.get(name, ""))
        for name, hint in option_hints(taker).items()
    ]


def options_schema(taker: Callable[..., Any]) -> dict[str, Any]:
    """Return the JSON Schema of a member's options."""
    hints = option_hints(taker)
    properties = {
        option.name: json_schema(hints[option.name])
        | ({"default": json.loads(option.default)} if option.default else {})
        | ({"description": option.description} if option.description else {})
        for option in list_options(taker)
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _settings() -> Iterator[Setting]:
    for name, field, caller_only in walk(Config):
        kind = type_in_words(json_schema(annotation_of(field)))
        yield Setting(name, kind, _spelt(field.default), field.description or "", caller_only)


def _spelt(default: Any) -> str:
    if default is PydanticUndefined or default is inspect.Parameter.empty:
        return ""
    if isinstance(default, BaseModel):
        default = default.model_dump(mode="json", exclude_none=True)
        default = default["name"] if set(default) == {"name"} else default
    return json.dumps(list(default) if isinstance(default, tuple) else default, ensure_ascii=False)
