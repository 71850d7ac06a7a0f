"""Show the modality of each column and why, missing and unreadable cells, and duplicates across splits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def inspect(
    table: o.Table,
    target: o.Target = None,
    columns: o.Columns = None,
    exclude: o.Exclude = None,
    modality: o.Modality = None,
    task: o.Task = None,
    split_column: o.SplitColumn = None,
    seed: o.Seed = None,
    config: o.Config = None,
    assign: o.Set = None,
    every: Annotated[
        bool, typer.Option("--every", help="Decode every cell; by default 200 cells of each column are decoded.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write an HTML page with charts and images to this file; without it, no page is written.",
        ),
    ] = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Show what is in a table, column by column; train nothing.

    Reports the modality of each column and why, missing cells, unreadable cells and duplicates across splits.

    Example: sensorium inspect films.csv --target genre
    """
    from sensorium.config import Config
    from sensorium.files import check_apart, check_outside_models
    from sensorium.inspection import inspect as look
    from sensorium.report import inspection_text
    from sensorium.report.inspection_page import write_page

    settings = o.settings(
        config, assign, columns=columns, exclude=exclude, modality=modality, target=target, task=task,
        split__column=split_column, seed=seed,
    )  # fmt: skip
    if html:
        check_apart([html], table=table, config=config)
        check_outside_models(html)
    found = look(table, config=Config.gather(settings), every=every, progress=not quiet)
    if html:
        write_page(found, html)
    show(inspection_text(found), json, quiet)
    show_json(found.to_json(), json)
