"""List what can be chosen and set: encoders, fusions, techniques and more, and every setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json

if TYPE_CHECKING:
    from sensorium.registry import Registry

PLURALS = {"modality": "modalities"}
SETTINGS = "settings"
EXPORTED = ("encoder", "fusion", "head")  # kinds whose members are part of an exported network


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(help="settings, encoders, fusions, heads, tasks, metrics and other kinds; all by default."),
    ] = None,
    name: Annotated[
        str | None, typer.Argument(help="One of the kind, to see its options; of settings a group, such as train.")
    ] = None,
    json: o.Json = False,
) -> None:
    """List settings, encoders, fusions and everything else to choose.

    Example: sensorium list settings train
    """
    from sensorium.errors import UnknownNameError, did_you_mean
    from sensorium.registry import KINDS

    plural = {PLURALS.get(one, f"{one}s"): registry for one, registry in KINDS.items() if one != "command"}
    if kind == SETTINGS:
        return _settings(name or "", json)
    if kind is not None and kind not in plural:
        raise UnknownNameError(f"there is no kind {kind!r}", cure=did_you_mean(kind, [*plural, SETTINGS]))
    if kind and name:
        return _member(plural[kind], kind, name, json)
    return _kinds({one: registry for one, registry in plural.items() if kind in (None, one)}, json)


def _kinds(chosen: dict[str, Registry], json: bool) -> None:
    from sensorium.report import listing_text

    for name, registry in chosen.items():
        show(listing_text(registry, name), json)
    show_json({name: {n: e.summary for n, e in registry.entries.items()} for name, registry in chosen.items()}, json)


def _settings(prefix: str, json: bool) -> None:
    from sensorium.config import Config, list_settings

    found = list_settings(prefix)
    _show(found, SETTINGS, json)
    show_json({"settings": [each.to_json() for each in found], "schema": Config.model_json_schema()}, json)


def _member(registry: Registry, kind: str, name: str, json: bool) -> None:
    from sensorium.config import list_options, options_schema

    entry = registry.entry(name)
    taker = registry.taker(name) if registry.options(name) else None
    options = list_options(taker) if taker else []
    show(f"{name}: {entry.summary}", json)
    exportable = {"export": entry.literal("EXPORT") or True} if registry.kind in EXPORTED else {}
    if reason := entry.literal("EXPORT"):
        show(f"Models with it cannot be exported: {reason}.", json)
    if options:
        _show(options, "option", json)
    schema = options_schema(taker) if taker else {}
    content: dict[str, Any] = {
        "summary": entry.summary,
        "options": [each.to_json() for each in options],
        "schema": schema,
        **exportable,
    }
    show_json({kind: {name: content}}, json)


def _show(settings: Sequence[Any], title: str, json: bool) -> None:
    from sensorium.report import settings_text

    show(settings_text(settings, title), json)
