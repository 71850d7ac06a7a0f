"""Handle old names of settings: raise an error with the new name for users, and replace them in saved models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sensorium.config._layers import MISSING, nest, overlay, value_at, without
from sensorium.config._spelling import in_python, set_value
from sensorium.errors import ConfigError
from sensorium.registry import Registry, augmentations, encoders, fusions, heads, modalities, techniques
from sensorium.registry.renames import OPTION, find_rename, renamed_settings

PLAIN = (str, int, float, bool)  # values that a shell passes on


def explain_rename(name: str, value: Any) -> ConfigError | None:
    """Return the error of a renamed setting; None if it was not renamed.

    Args:
        name: the given name: the full name or its last part.
        value: the given value.
    """
    for rename in renamed_settings():
        if name in (rename.old, rename.old.rpartition(".")[2]):
            flag = set_value(rename.new, _shown(value)) if isinstance(value, PLAIN) else f"--set {rename.new}=…"
            cure = f"{flag} (Python: {in_python(rename.new, value)})"
            return ConfigError(f"{rename.old} was renamed {rename.new}", place=name, rule=rename.rule, cure=cure)
    return None


def current_setting(name: str) -> str:
    """Return the current name of a setting."""
    return next((rename.new for rename in renamed_settings() if rename.old == name), name)


def current_member(registry: Registry, name: str) -> str:
    """Return the current name of a member."""
    found = None if name in registry.entries else find_rename(registry.kind, name)
    return found.new if found else name


def current_options(registry: Registry, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a member under their current names; the member has its current name."""
    known = {option.name for option in registry.options(name)} if name in registry.entries else set()
    found = {old: find_rename(OPTION, old, f"{registry.kind} {name}") for old in options if old not in known}
    return {(rename.new if (rename := found.get(old)) else old): value for old, value in options.items()}


def current_settings(saved: Mapping[str, Any], kinds: Mapping[str, str], towers: Mapping[str, str]) -> dict[str, Any]:
    """Return a saved tree of settings under their current names; invalid parts are left for validation to report.

    Args:
        saved: the settings of a saved model.
        kinds: column → its modality.
        towers: tower and column → its encoder.
    """
    tree = dict(saved)
    for rename in renamed_settings():
        value = value_at(tree, rename.old, MISSING)
        if value is not MISSING:
            tree = overlay(without(tree, rename.old), nest(rename.new.split("."), value))
    for key, registry in (("fusion", fusions), ("head", heads)):
        tree = _changed(tree, key, lambda choice, own=registry: _choice(own, choice, ""))
    for key, registry, names in (("modalities", modalities, kinds), ("encoders", encoders, towers)):
        tree = _changed(tree, key, lambda chosen, own=registry, names=names: _choices(own, chosen, names))
    tree = _changed(tree, "augment", lambda chosen: {name: _named(augmentations, own) for name, own in chosen.items()})
    return _changed(tree, "train", _of_training)


def _of_training(train: Mapping[str, Any]) -> dict[str, Any]:
    tree = _changed(train, "techniques", lambda chosen: _named(techniques, chosen))
    return _changed(
        tree, "pretrain", lambda own: _changed(own, "techniques", lambda chosen: _named(techniques, chosen))
    )


def _named(registry: Registry, chosen: Any) -> Any:
    """Return names with their options, all under their current names."""
    if not isinstance(chosen, Mapping):
        return chosen
    found = {}
    for old, options in chosen.items():
        name = current_member(registry, old)
        found[name] = current_options(registry, name, options) if isinstance(options, Mapping) else options
    return found


def _choices(registry: Registry, chosen: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {key: _choice(registry, choice, names.get(key, key)) for key, choice in chosen.items()}


def _choice(registry: Registry, choice: Any, default: str) -> Any:
    """Return a name with its options, under their current names; without a name, the default member is meant."""
    if not isinstance(choice, Mapping) or not isinstance(choice.get("name") or "", str):
        return choice
    name = current_member(registry, choice.get("name") or default)
    options = current_options(registry, name, {key: value for key, value in choice.items() if key != "name"})
    return ({"name": name if choice["name"] else choice["name"]} if "name" in choice else {}) | options


def _changed(tree: Mapping[str, Any], key: str, change: Any) -> dict[str, Any]:
    """Return the tree with one branch changed, if it has the branch."""
    return {**tree, key: change(tree[key])} if isinstance(tree.get(key), Mapping) else dict(tree)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
