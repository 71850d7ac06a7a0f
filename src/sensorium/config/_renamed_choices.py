"""Find old names of members and of their options in a tree of settings, so that all are reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sensorium.config._layers import value_at
from sensorium.errors import ConfigError, UnknownNameError
from sensorium.registry import Registry, augmentations, encoders, fusions, heads, modalities, techniques
from sensorium.registry.renames import OPTION, RENAMES, Rename, find_rename


@dataclass(frozen=True)
class _Chosen:
    """Member with its options in a tree of settings; its name is empty if it depends on the table."""

    registry: Registry
    name: str
    options: Mapping[str, Any]
    place: str


def explain_renamed_choices(tree: Mapping[str, Any]) -> list[ConfigError]:
    """Return an error for each old name of a member or an option, with the new name."""
    faults: list[ConfigError] = []
    for chosen in _choices(tree):
        member = None if chosen.name in chosen.registry.entries else find_rename(chosen.registry.kind, chosen.name)
        if member:
            finding = f"the {chosen.registry.kind} {member.old!r} was renamed {member.new!r}"
            faults.append(UnknownNameError(finding, place=chosen.place, rule=member.rule, cure=f"write {member.new!r}"))
        name = member.new if member else chosen.name
        for old in chosen.options:
            if rename := _renamed_option(chosen.registry, name, str(old)):
                finding, cure = f"option {old!r} was renamed {rename.new!r}", f"write {rename.new!r} instead of {old!r}"
                faults.append(ConfigError(finding, place=f"{chosen.place}.{old}", rule=rename.rule, cure=cure))
    return faults


def _renamed_option(registry: Registry, name: str, old: str) -> Rename | None:
    """Return the new name of an option; of an unknown member, if it is the same for all members that had the option."""
    if name in registry.entries:
        known = [option.name for option in registry.options(name)]
        return None if old in known else find_rename(OPTION, old, f"{registry.kind} {name}")
    found = [r for r in RENAMES if (r.kind, r.old) == (OPTION, old) and r.owner.startswith(f"{registry.kind} ")]
    clear = not name and len({rename.new for rename in found}) == 1
    return found[0] if clear and not _in_use(registry, old) else None


def _in_use(registry: Registry, option: str) -> bool:
    return any(option in (own.name for own in registry.options(name)) for name in registry.names())


def _choices(tree: Mapping[str, Any]) -> Iterator[_Chosen]:
    for key, registry in (("fusion", fusions), ("head", heads)):
        if key in tree:
            yield _choice(registry, tree[key], key, "")
    for key, registry in (("modalities", modalities), ("encoders", encoders)):
        for name, choice in _items(tree.get(key)):
            default = name if registry is modalities and name in modalities.entries else ""
            yield _choice(registry, choice, f"{key}.{name}", default)
    for name, chosen in _items(tree.get("augment")):
        yield from _named(augmentations, chosen, f"augment.{name}")
    for place in ("train.techniques", "train.pretrain.techniques"):
        yield from _named(techniques, value_at(tree, place), place)


def _choice(registry: Registry, choice: Any, place: str, default: str) -> _Chosen:
    options = {key: value for key, value in _items(choice) if key != "name"}
    name = choice.get("name") if isinstance(choice, Mapping) else choice
    return _Chosen(registry, name if isinstance(name, str) else default, options, place)


def _named(registry: Registry, chosen: Any, place: str) -> Iterator[_Chosen]:
    pairs = _items(chosen) if isinstance(chosen, Mapping) else [(name, {}) for name in _texts(chosen)]
    return (_Chosen(registry, name, dict(_items(options)), f"{place}.{name}") for name, options in pairs)


def _items(tree: Any) -> list[tuple[str, Any]]:
    return [(str(key), value) for key, value in tree.items()] if isinstance(tree, Mapping) else []


def _texts(names: Any) -> list[str]:
    return [name for name in names if isinstance(name, str)] if isinstance(names, list | tuple) else []
