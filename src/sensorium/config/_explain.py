"""Explain a fault that pydantic found in the settings."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from sensorium.config._renamed import explain_rename
from sensorium.config._tree import groups, walk
from sensorium.errors import ConfigError, did_you_mean


def explain_fault(model: type[BaseModel], fault: Any) -> ConfigError:
    path = [str(part) for part in fault["loc"]]
    place = ".".join(path)
    if fault["type"] == "extra_forbidden":
        renamed = explain_rename(place, fault["input"])
        if renamed:
            return renamed
        known = _known_keys(model, path[:-1])
        every = [*(name for name, _, _ in walk(model)), *groups(model)]
        leaves = {name.rpartition(".")[2] for name in every} if len(path) == 1 else set()
        near = [name for name in leaves if difflib.get_close_matches(path[-1], [name])]  # it may stand alone, too
        cure = did_you_mean(path[-1], [*known, *near])
        return ConfigError(f"unknown setting {path[-1]!r}", place=place, cure=cure)
    finding = f"setting {place} can't be {fault['input']!r}"
    if fault["type"] == "value_error":  # raised by a check of ours: a whole sentence
        reason = str(fault["ctx"]["error"])
        whole = isinstance(fault["input"], Mapping)  # of several settings together
        return ConfigError(reason, place=place) if whole else ConfigError(finding, place=place, rule=reason)
    return ConfigError(finding, place=place, rule=fault["msg"])


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        annotation = model.model_fields[part].annotation
        kinds = [kind for kind in (annotation, *typing.get_args(annotation)) if isinstance(kind, type)]
        found = next((kind for kind in kinds if issubclass(kind, BaseModel)), None)
        if found is None:
            return []
        model = found
    return list(model.model_fields)
