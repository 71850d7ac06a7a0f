"""Score a model on labelled rows, with 95% intervals."""

from __future__ import annotations

from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def evaluate(
    model: o.Model,
    table: o.Table,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Rows to score: train, validation, test or all; by default the test rows if they are known, otherwise "
            "all.",
        ),
    ] = None,
    subsets: Annotated[
        bool,
        typer.Option(
            "--subsets",
            help="Also score subsets of the modalities, and report what each one contributes (Shapley values).",
        ),
    ] = False,
    threshold: o.Threshold = None,
    device: o.Device = None,
    assign: o.SetOfModel = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Score a model on labelled rows, with 95% intervals.

    Example: sensorium evaluate run films.csv --split test
    """
    from sensorium.config import parse_assignments
    from sensorium.predictor import load
    from sensorium.report import evaluation_text, problems_text

    loaded = load(model, device=device or "auto", config=parse_assignments(assign or []))
    loaded = loaded if threshold is None else loaded.with_threshold(threshold)
    found = loaded.evaluate(table, split, subsets=subsets, progress=not quiet)
    show(evaluation_text(found), json, quiet)
    show(problems_text(found.problems), json, quiet)
    notices = [group.to_json() for group in found.problems.groups()]
    show_json({**found.to_json(), "notices": notices}, json)
