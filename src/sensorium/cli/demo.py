"""Run inspect, fit, evaluate, predict and compare on a generated table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json

SHOWN = 8  # predictions printed


def demo(
    out: Annotated[Path, o.out("Folder for the data and the models.")] = Path("demo"),
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="Number of passes over the training rows.")] = 15,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Run every command on a small example table: inspect, fit …

    Runs inspect, fit, evaluate, predict and compare, and prints each command.

    The table has 1,797 parcels, each with an image of a real handwritten digit and a synthetic tone, note and weight.

    Example: sensorium demo --out demo
    """
    from sensorium.api import compare, fit
    from sensorium.inspection import inspect
    from sensorium.predictor import load
    from sensorium.report import comparison_text, evaluation_text, inspection_text, predictions_text, text_line
    from sensorium.table import write_table
    from sensorium.testing.demo import check_own, make_parcels, read_truth

    def heading(command: str) -> None:
        show("", json, quiet)
        show(text_line(f"$ sensorium {command}", "bold"), json, quiet)

    check_own(out)
    table = make_parcels(out)
    heading(f"inspect {table} --target gate")
    show(inspection_text(inspect(table, "gate", progress=not quiet)), json, quiet)
    heading(f"fit {table} --target gate --preset fast --epochs {epochs} --out {out / 'run'}")
    fit(table, "gate", preset="fast", out=out / "run", overwrite=True, epochs=epochs, progress=not quiet)
    heading(f"evaluate {out / 'run'} {table}")
    model = load(out / "run")
    show(evaluation_text(model.evaluate(table)), json, quiet)
    heading(f"predict {out / 'run'} {table} -o {out / 'predictions.parquet'}")
    answers = model.predictions(table).to_arrow()
    write_table(answers, out / "predictions.parquet")
    show(predictions_text(answers, read_truth(table), SHOWN), json, quiet)
    heading(f"compare {table} --target gate --epochs {epochs} --fusions concat,weighted_sum")
    found = compare(
        table,
        "gate",
        fusions=["concat", "weighted_sum"],
        epochs=epochs,
        out=out / "comparison",
        overwrite=True,
        progress=not quiet,
    )
    show(comparison_text(found), json, quiet)
    show_json(found.to_json(), json)
