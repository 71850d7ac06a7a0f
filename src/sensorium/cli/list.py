"""What there is to choose from, with its options: modalities, encoders, fusions, techniques, tasks and more."""

from __future__ import annotations

from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json

PLURALS = {"modality": "modalities"}


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="encoders, fusions, heads, tasks, metrics, baselines and other kinds in the plural; all by default."
        ),
    ] = None,
    json: o.Json = False,
) -> None:
    """What there is to choose from, with its options: modalities, encoders, fusions, techniques, tasks and more.

    Example: sensorium list fusions
    """
    from sensorium.errors import UnknownNameError, did_you_mean
    from sensorium.registry import KINDS
    from sensorium.report.text import listing_text

    plural = {PLURALS.get(name, f"{name}s"): registry for name, registry in KINDS.items() if name != "command"}
    if kind is not None and kind not in plural:
        raise UnknownNameError(f"there is no kind {kind!r}", cure=did_you_mean(kind, plural))
    chosen = {name: registry for name, registry in plural.items() if kind in (None, name)}
    for name, registry in chosen.items():
        show(listing_text(registry, name), json)
    content = {name: {n: e.summary for n, e in registry.entries.items()} for name, registry in chosen.items()}
    show_json(content, json)
