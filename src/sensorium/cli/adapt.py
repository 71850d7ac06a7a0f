"""Adapt a model to another table without labels, save it and show how it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import say, show, show_json


def adapt(
    model: o.Model,
    table: o.Table,
    out: Annotated[Path, typer.Option(help="Folder, or .zip, for the adapted model.")],
    method: Annotated[str, typer.Option(help="Method; see `sensorium list adaptations`.")] = "adabn",
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the order of rows, if the method uses one.")] = 0,
    device: o.Device = None,
    assign: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="An option of the method (prior=100), or a setting that is not saved with models (table.query=films). "
            "May be repeated.",
        ),
    ] = None,
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
    from sensorium.report import moved_text, problems_text

    check_apart([out], model=model, table=table)
    check_place(out)
    given = parse_assignments(assign or [])
    reach: dict[str, Any] = {group: given.pop(group) for group in ("table", "prepare") if group in given}
    loaded = load(model, device=device or "auto", config=reach)
    adapted = loaded.adapt(table, method, seed=seed, progress=not quiet, **given)
    adapted.save(out)
    if adapted.bundle.card.shift:
        show(moved_text(adapted.bundle.card.shift), json, quiet)
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
