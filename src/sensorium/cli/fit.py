"""Train a model that predicts a column from the others; save and test it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import say, show, show_json
from sensorium.registry.defaults import DEFAULT_FUSION, DEFAULT_PRESET
from sensorium.runtime.signals import CONTINUE, SIGNALLED

if TYPE_CHECKING:
    from sensorium.predictor import Model


def fit(
    table: o.Table,
    target: o.Target = None,
    start: Annotated[
        Path | None, typer.Option("--from", metavar="MODEL", help="Continue training this model on the table.")
    ] = None,
    out: Annotated[Path, o.out("Folder for the model and the record of the run.")] = Path("run"),
    columns: o.Columns = None,
    exclude: o.Exclude = None,
    modality: o.Modality = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"How much to train (see `sensorium list presets`); {DEFAULT_PRESET} by default, and fast if an "
            "option such as --fusion or --epochs describes one network.",
        ),
    ] = None,
    fusion: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=f"Fusion method (see `sensorium list fusions`); {DEFAULT_FUSION} by default."
        ),
    ] = None,
    task: o.Task = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Also learn from the predictions of this fitted model (distillation); by default from no model.",
        ),
    ] = None,
    epochs: o.Epochs = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Search encoders, fusion and training settings, and fit the blend of the preset, within this time: "
            "90s, 10m, 1h; by default nothing is searched. Run it again to resume.",
        ),
    ] = None,
    split_column: o.SplitColumn = None,
    seed: o.Seed = None,
    stream: o.Stream = False,
    overwrite: o.Overwrite = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Resume the interrupted run in --out, as the same command without --resume does."
        ),
    ] = False,
    check_imbalance: Annotated[
        bool,
        typer.Option(
            "--check-imbalance",
            help="Check for modality imbalance; if a modality is undertrained, try mitigations and keep the best "
            "model.",
        ),
    ] = False,
    folds: o.Folds = None,
    repeats: o.Repeats = 1,
    track: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Write metrics for tensorboard, mlflow or wandb into --out; by default "
            "for none. Works offline. May be "
            "repeated.",
        ),
    ] = None,
    device: o.Device = None,
    config: o.Config = None,
    assign: o.Set = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Train a model that predicts one column from the others.

    Saves the model and the record of the run, and evaluates it on the test rows.

    Example: sensorium fit films.csv --target genre --out run
    """
    settings = o.settings(
        config, assign, columns=columns, exclude=exclude, modality=modality, target=target, preset=preset,
        fusion=fusion, task=task, train__epochs=epochs, train__teacher=teacher, split__column=split_column, seed=seed,
        device=device, prepare__stream=stream or None, train__imbalance="auto" if check_imbalance else None,
    )  # fmt: skip
    from sensorium.api import fit as run_fit
    from sensorium.artifact.run_folder import check_folder
    from sensorium.report import fit_text, imbalance_json, problems_text, shift_text
    from sensorium.train import Interrupted

    if config:
        check_folder(out, config=config)
    try:
        model = run_fit(
            table, start=start, out=out, config=settings, resume=resume, overwrite=overwrite,
            budget=budget, folds=folds, repeats=repeats, track=track or (), progress=not quiet,
        )  # fmt: skip
    except Interrupted as stopped:
        say(f"{stopped}: {CONTINUE}", sys.stderr)
        raise typer.Exit(SIGNALLED + stopped.signal) from None
    card = model.card
    fitted = model.fitted
    show(fit_text(model.describe(), fitted.card, fitted.data, model.test), json, quiet)
    if fitted.card.shift:
        show(shift_text(fitted.card.shift), json, quiet)
    # Problems of whole columns were reported before training.
    show(problems_text(model.fit_problems.of_cells()), json, quiet)
    if not (json or quiet):
        say(f"model: {out / 'model'}")
    show_json(_run_json(model, out) | imbalance_json(card), json)


SHOWN = ("preset", "cross_validation", "moved", "restart", "tuning", "blend", "search")  # entries of the card, in JSON


def _run_json(model: Model, out: Path) -> dict[str, Any]:
    """Return the run as one JSON object."""
    card = model.card
    metrics = {split: record["metrics"] for split, record in card["metrics"].items()}
    return {
        "model": str(out / "model"),
        "task": model.task,
        "target": model.target,
        "columns": model.columns,
        "fusion": model.fusion if model.fitted.networks else None,
        "members": model.members,
        "epochs": len(card["history"]["epochs"]),
        "seconds": card["seconds"],
        "metrics": {"val": metrics.get("validation", {}), "test": metrics.get("test", {})},
        "problems": len(model.fit_problems.of_cells()),
        "notices": [*card["notices"], *(group.to_json() for group in model.fit_problems.of_cells().groups())],
        **{key: card[key] for key in SHOWN if key in card},
    }
