"""Quantize a model's large weight matrices to int8: a smaller file, faster predictions on many CPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def quantize(
    model: o.Model,
    out: Annotated[Path, o.out("Folder or .zip for the smaller model.", "MODEL")],
    table: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Table with labels on which both models are evaluated; by default none is."),
    ] = None,
    assign: o.SetOfModel = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Quantize large weight matrices to 8-bit integers (int8).

    The file is smaller, and predictions are faster on many CPUs; they change a little.

    Example: sensorium quantize run --out small --table films.csv
    """
    from sensorium.artifact import check_place
    from sensorium.config import parse_assignments
    from sensorium.files import check_apart
    from sensorium.predictor import load
    from sensorium.report import quantized_text
    from sensorium.runtime.progress import reporter

    check_apart([out], model=model, table=table)
    check_place(out)
    with reporter(not quiet).phase("quantizing"):
        whole = load(model, device="cpu", config=parse_assignments(assign or []))
        small = whole.quantize()
        small.save(out)
    sizes = [whole.weight_bytes, small.weight_bytes]
    scores = [each.evaluate(table, progress=not quiet) for each in (whole, small)] if table else []
    show(quantized_text(sizes, scores), json, quiet)
    metrics = [each.to_json()["metrics"] for each in scores]
    show_json({"bytes": sizes, "modules": len(small.fitted.int8), "metrics": metrics, "out": str(out)}, json)
