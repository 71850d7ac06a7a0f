"""Compare fusions with every single modality, classical baselines and a blend, with intervals and a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def compare(
    table: o.Table,
    target: o.Target = None,
    out: Annotated[Path, o.out("Folder for the models and the table of results.")] = Path("comparison"),
    fusions: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="Fusion methods: concat,gated … or all; by default six that are quick."),
    ] = None,
    baselines: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Classical models of all columns: trees,linear … or none; the fast ones by default."
        ),
    ] = None,
    blend: Annotated[
        bool | None,
        typer.Option(
            "--blend/--no-blend",
            help="Train the blend (fit --preset good), or leave it out; by default, it is trained unless --fusions or "
            "--baselines is given. It takes several times as long as a network.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of random seeds for each network; the split is the same.")
    ] = 1,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of networks that are trained at a time, each in a process.")
    ] = 1,
    folds: o.Folds = None,
    repeats: o.Repeats = 1,
    columns: o.Columns = None,
    exclude: o.Exclude = None,
    modality: o.Modality = None,
    task: o.Task = None,
    epochs: o.Epochs = None,
    split_column: o.SplitColumn = None,
    seed: o.Seed = None,
    stream: o.Stream = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a comparison of another table or other settings in --out.")
    ] = False,
    device: o.Device = None,
    config: o.Config = None,
    assign: o.Set = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Compare fusions with single modalities, baselines and a blend.

    Trains and tests all models on the same rows. Reports 95% intervals and whether fusing helped. For small tables,
    --folds 5 tests every row once.

    Example: sensorium compare films.csv --target genre --out comparison
    """
    settings = o.settings(
        config, assign, columns=columns, exclude=exclude, modality=modality, target=target, task=task,
        train__epochs=epochs, split__column=split_column, seed=seed, device=device,
        prepare__stream=stream or None,
    )  # fmt: skip
    from sensorium.api import compare as run_compare
    from sensorium.comparison import check_folder
    from sensorium.report import comparison_text
    from sensorium.runtime.signals import CONTINUE, hint_at_end

    if config:
        check_folder(out, config=config)
    chosen, classical = (o.names(given) if given else None for given in (fusions, baselines))
    with hint_at_end(CONTINUE):
        found = run_compare(
            table,
            fusions=chosen,
            baselines=classical,
            blend=blend,
            seeds=seeds,
            workers=workers,
            folds=folds,
            repeats=repeats,
            overwrite=overwrite,
            out=out,
            config=settings,
            progress=not quiet,
        )
    show(comparison_text(found), json, quiet)
    show_json(found.to_json(), json)
