"""List encoders, fusions, techniques and other members, and every setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json

if TYPE_CHECKING:
    from sensorium.errors import SensoriumError
    from sensorium.registry import Registry
    from sensorium.registry.weights import Weights

PLURALS = {"modality": "modalities", "strategy": "strategies", "table source": "sources"}
SETTINGS = "settings"
EXPORTED = ("encoder", "fusion", "head")  # kinds whose members are part of an exported network


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND", help="settings, encoders, fusions, heads, tasks, metrics and other kinds; all by default."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="With a kind such as encoders: the member whose options are shown. With settings: a group or a "
            "setting, such as train or learning_rate.",
        ),
    ] = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """List settings, encoders, fusions and other choices.

    Example: sensorium list settings train
    """
    from sensorium.registry import KINDS
    from sensorium.registry.weights import weights_called

    plural = {PLURALS.get(one, f"{one}s"): registry for one, registry in KINDS.items() if one != "command"}
    if kind == SETTINGS:
        return _settings(name or "", json, quiet)
    if kind is not None and kind not in plural:
        raise _unknown(kind, [*plural, SETTINGS])
    if kind == "encoders" and name and (weights := weights_called(name)):
        return _weights(weights, kind, json, quiet=quiet)
    if kind and name:
        return _member(plural[kind], kind, name, json, quiet=quiet)
    return _kinds({one: registry for one, registry in plural.items() if kind in (None, one)}, json, quiet)


def _unknown(kind: str, known: Sequence[str]) -> SensoriumError:
    from sensorium.errors import UnknownNameError, did_you_mean
    from sensorium.registry.renames import KIND, find_rename

    rename = find_rename(KIND, kind)
    if rename is None:
        return UnknownNameError(f"there is no kind {kind!r}", cure=did_you_mean(kind, known))
    cure = f"sensorium list {rename.new}"
    return UnknownNameError(f"the kind {kind!r} was renamed {rename.new!r}", place="KIND", rule=rename.rule, cure=cure)


def _kinds(chosen: dict[str, Registry], json: bool, quiet: bool) -> None:
    from sensorium.registry.weights import PACKAGED
    from sensorium.report import listing_text
    from sensorium.report.listing import weights_text

    content: dict[str, Any] = {}
    for name, registry in chosen.items():
        show(listing_text(registry, name), json, quiet)
        content[name] = {n: e.summary for n, e in registry.entries.items()}
    if "encoders" in chosen:
        show(weights_text(PACKAGED), json, quiet)
        content["weights"] = [weights.to_json() for weights in PACKAGED]
    show_json(content, json)


def _settings(prefix: str, json: bool, quiet: bool) -> None:
    from sensorium.config import Config, list_settings
    from sensorium.report import settings_text

    chosen = list_settings(prefix)
    show(settings_text(chosen, SETTINGS), json, quiet)
    show_json({"settings": [each.to_json() for each in chosen], "schema": Config.model_json_schema()}, json)


def _member(registry: Registry, kind: str, name: str, json: bool, *, quiet: bool) -> None:
    from sensorium.config import list_options, list_settings, options_schema
    from sensorium.registry.weights import PACKAGED
    from sensorium.report import settings_text
    from sensorium.report.listing import weights_text

    entry = registry.entry(name)
    taker = registry.taker(name) if registry.options(name) else None
    options = list_options(taker) if taker else []
    show(f"{name}: {entry.summary}", json, quiet)
    exportable = {"export": entry.literal("EXPORT") or True} if registry.kind in EXPORTED else {}
    if reason := entry.literal("EXPORT"):
        show(f"Models with it cannot be exported: {reason}.", json, quiet)
    if options:
        show(settings_text(options, "option"), json, quiet)
    own = [weights for weights in PACKAGED if registry.kind == "encoder" and weights.encoder == name]
    if own:
        show(weights_text(own), json, quiet)
    settings = [each for place in entry.literal("SETTINGS", ()) for each in list_settings(place)]
    if settings:
        show(settings_text(settings, "setting"), json, quiet)
    schema = options_schema(taker) if taker else {}
    content: dict[str, Any] = {
        "summary": entry.summary,
        "options": [each.to_json() for each in options],
        "schema": schema,
        **exportable,
        **({"settings": [each.to_json() for each in settings]} if settings else {}),
        **({"weights": [weights.to_json() for weights in own]} if own else {}),
    }
    show_json({kind: {name: content}}, json)


def _weights(weights: Weights, kind: str, json: bool, *, quiet: bool) -> None:
    """Show packaged weights under their short name, with the options that their encoder has besides."""
    from sensorium.config import list_options
    from sensorium.registry import encoders
    from sensorium.report import settings_text
    from sensorium.report.listing import weights_text

    options = [each for each in list_options(encoders.taker(weights.encoder)) if each.name not in weights.options]
    summary = f"pretrained weights for the encoder {weights.encoder}"
    show(f"{weights.name}: {summary}", json, quiet)
    show(weights_text([weights]), json, quiet)
    show(settings_text(options, "option"), json, quiet)
    content = {"summary": summary, "options": [each.to_json() for each in options], "weights": [weights.to_json()]}
    show_json({kind: {weights.name: content}}, json)
