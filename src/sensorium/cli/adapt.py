"""Adapt a model to another table without labels; save it and report the distribution shift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import say, show, show_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def adapt(
    model: o.Model,
    table: o.Table,
    out: Annotated[Path, o.out("Folder or .zip for the adapted model.", "MODEL")],
    method: Annotated[str, typer.Option(metavar="NAME", help="Method; see `sensorium list adaptations`.")] = "adabn",
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Set an option of the method: prior=100; see `sensorium list "
            "adaptations NAME` for its defaults. May be repeated.",
        ),
    ] = None,
    seed: o.Seed = None,
    device: o.Device = None,
    assign: o.SetOfModel = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Adapt a model to another table without its labels.

    Saves the adapted model; the report shows how columns, weights, predictions and metrics shifted.

    Example: sensorium adapt run winter.csv --out winter_model
    """
    from sensorium.artifact import check_place
    from sensorium.config import parse_assignments
    from sensorium.files import check_apart
    from sensorium.predictor import load
    from sensorium.report import problems_text, shift_text

    check_apart([out], model=model, table=table)
    check_place(out)
    given, options = parse_assignments(assign or []), parse_assignments(option or [])
    _check_apart(given, method)
    loaded = load(model, device=device or "auto", config=given)
    adapted = loaded.adapt(table, method, seed=seed or 0, progress=not quiet, **options)
    adapted.save(out)
    if adapted.fitted.card.shift:
        show(shift_text(adapted.fitted.card.shift), json, quiet)
    show(problems_text(adapted.fit_problems), json, quiet)
    if not (json or quiet):
        say(f"model: {out}")
    how = adapted.card["adapted"]
    show_json(
        {
            "model": str(out),
            "method": how["method"],
            "rows": how["rows"],
            "moved": adapted.card["moved"],
            "problems": len(adapted.fit_problems),
        },
        json,
    )


def _check_apart(given: Mapping[str, object], method: str) -> None:
    """Raise a ConfigError if `--set` names an option of the method."""
    from sensorium.errors import ConfigError
    from sensorium.registry import adaptations

    for name in {option.name for option in adaptations.options(method)} & set(given):
        cure = f"--option {name}={given[name]}"
        raise ConfigError(f"{name} is an option of {method}, not a setting", place=f"--set {name}", cure=cure)
