"""The main job from end to end, on data that it makes: fit, evaluate, predict, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json

SHOWN = 8  # predictions printed


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the data and the models.")] = Path("demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Number of passes over the training rows.")] = 15,
    json: o.Json = False,
) -> None:
    """Run the main job from end to end on data that it makes.

    1,797 parcels, each with a picture of a real handwritten digit, a made tone, a made note and a made weight.

    Example: sensorium demo --out demo
    """
    from sensorium.api import compare, fit
    from sensorium.inspection import inspect
    from sensorium.predictor import load
    from sensorium.report import comparison_text, evaluation_text, inspection_text, predictions_text, text_line
    from sensorium.table import write_table
    from sensorium.testing.demo import make_parcels, read_truth

    def heading(command: str) -> None:
        show("", json)
        show(text_line(f"$ sensorium {command}", "bold"), json)

    table = make_parcels(out)
    heading(f"inspect {table} --target gate")
    show(inspection_text(inspect(table, "gate")), json)
    heading(f"fit {table} --target gate --epochs {epochs} --out {out / 'run'}")
    fit(table, "gate", out=out / "run", epochs=epochs)
    heading(f"evaluate {out / 'run'} {table}")
    model = load(out / "run")
    show(evaluation_text(model.evaluate(table)), json)
    heading(f"predict {out / 'run'} {table} -o {out / 'answers.parquet'}")
    answers = model.predictions(table).to_arrow()
    write_table(answers, out / "answers.parquet")
    show(predictions_text(answers, read_truth(table), SHOWN), json)
    heading(f"compare {table} --target gate --epochs {epochs} --fusions concat,weighted_sum")
    found = compare(table, "gate", fusions=["concat", "weighted_sum"], epochs=epochs, out=out / "comparison")
    show(comparison_text(found), json)
    show_json(found.to_json(), json)
