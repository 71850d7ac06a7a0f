"""Make a model's large matrices of eight bits: a smaller file, faster answers on many CPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def quantize(
    model: o.Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder or .zip for the smaller model.")],
    table: Annotated[str | None, typer.Option(help="Table with labels on which both models are evaluated.")] = None,
    assign: o.Reach = None,
    json: o.Json = False,
) -> None:
    """Store large weight matrices as 8-bit integers (int8).

    The file is smaller, and predictions are faster on many CPUs; they change a little.

    Example: sensorium quantize run --out small --table films.csv
    """
    from sensorium.artifact import check_place
    from sensorium.config import parse_assignments
    from sensorium.files import check_apart
    from sensorium.predictor import load
    from sensorium.report import quantized_text

    check_apart([out], model=model, table=table)
    check_place(out)
    whole = load(model, device="cpu", config=parse_assignments(assign or []))
    small = whole.quantize()
    small.save(out)
    sizes = [whole.weight_bytes, small.weight_bytes]
    scores = [each.evaluate(table) for each in (whole, small)] if table else []
    show(quantized_text(sizes, scores), json)
    metrics = [each.to_json()["metrics"] for each in scores]
    show_json({"bytes": sizes, "modules": len(small.bundle.int8), "metrics": metrics, "out": str(out)}, json)
