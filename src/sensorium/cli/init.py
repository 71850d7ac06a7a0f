"""Write a commented file of settings for a table, from what `inspect` finds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import say, show_json


def init(
    table: o.Table,
    target: o.Target = None,
    out: Annotated[Path, o.out("YAML file for the settings.", "FILE")] = Path("sensorium.yaml"),
    columns: o.Columns = None,
    exclude: o.Exclude = None,
    modality: o.Modality = None,
    task: o.Task = None,
    split_column: o.SplitColumn = None,
    seed: o.Seed = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file in --out.")] = False,
    config: o.Config = None,
    assign: o.Set = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a commented file of settings for a table; train nothing.

    Sets the target and the modality of each column, and shows other settings as comments, with the values that are
    used for this table. Without --target, the target is left to fill in.

    Example: sensorium init films.csv --target genre -o films.yaml
    """
    from sensorium.config import Config
    from sensorium.files import replaced_file
    from sensorium.inspection import inspect as look
    from sensorium.report.settings_file import settings_file

    settings = o.settings(
        config, assign, columns=columns, exclude=exclude, modality=modality, target=target, task=task,
        split__column=split_column, seed=seed,
    )  # fmt: skip
    _check_out(out, table, overwrite=overwrite)
    found = look(table, config=Config.gather(settings), progress=not quiet)
    content = settings_file(found, settings, table=table, file=str(out))
    with replaced_file(out) as new:
        new.write_text(content, encoding="utf-8")
    used = {column.name: column.modality for column in found.columns if column.modality}
    if not (json or quiet):
        say(f"settings: {out}")
        if not settings.get("target"):
            say(f"! no target is given: fill in `target` in {out}, or give --target to fit")
    show_json({"out": str(out), "columns": used, "target": settings.get("target")}, json)


def _check_out(out: Path, table: str, *, overwrite: bool) -> None:
    from sensorium.errors import ConfigError
    from sensorium.files import check_apart, check_outside_models

    check_apart([out], table=table)
    check_outside_models(out)
    if out.exists() and not overwrite:
        raise ConfigError("the file exists", place=str(out), cure="choose another file: --out, or add --overwrite")
    if not out.parent.is_dir():
        raise ConfigError("the folder does not exist", place=str(out.parent), cure="create it, or choose another one")
