"""Predict every row of a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sensorium.cli import _options as o
from sensorium.cli._show import say, show, show_json


def predict(
    model: o.Model,
    table: o.Table,
    out: Annotated[
        Path,
        o.out(
            "File for the predictions: .parquet, .csv, .tsv, .jsonl, .arrow, .feather or .xlsx; - prints CSV.",
            "FILE",
        ),
    ],
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            help="Copy these columns of the table beside the predictions, such as an id; `all` copies every column; "
            "default: none.",
        ),
    ] = None,
    coverage: o.Coverage = None,
    coverage_per: o.CoveragePer = "modalities",
    by: o.By = None,
    safe_csv: Annotated[
        bool,
        typer.Option(
            "--safe-csv", help="CSV: put an apostrophe before text that a spreadsheet would run as a formula."
        ),
    ] = False,
    threshold: o.Threshold = None,
    device: o.Device = None,
    assign: o.SetOfModel = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Predict every row of a table.

    Example: sensorium predict run new.csv -o predictions.parquet --keep id
    """
    from sensorium.config import parse_assignments
    from sensorium.findings import Problems, count
    from sensorium.predictor import load
    from sensorium.report import problems_text
    from sensorium.table import EVERY

    to_stdout = str(out) == "-"
    if to_stdout:
        _check_stdout(json)
    else:
        _check_file(out, table)
    loaded = load(model, device=device or "auto", config=parse_assignments(assign or []))
    loaded = loaded if threshold is None else loaded.with_threshold(threshold)
    kept = keep if keep == EVERY else o.names(keep or "")
    file = None if to_stdout else out
    found = loaded.predictions(
        table, keep=kept, out=file, by=by, coverage=coverage, coverage_per=coverage_per, progress=not quiet
    )
    written = found.write_csv(sys.stdout.buffer, safe_csv=safe_csv) if to_stdout else found.save(out, safe_csv=safe_csv)
    problems = Problems([*found.problems, *written])
    show(problems_text(problems), json or to_stdout, quiet)
    if not (json or quiet or to_stdout):
        say(f"{count(len(found), 'row' if by is None else 'unit')}: {out}")
    notices = [group.to_json() for group in problems.groups()]
    show_json({"rows" if by is None else "units": len(found), "out": str(out), "notices": notices}, json)


def _check_file(out: Path, table: str) -> None:
    from sensorium.artifact.run_folder import check_not_of_a_run
    from sensorium.files import check_apart, check_outside_models
    from sensorium.table import check_writable

    check_writable(out)
    check_apart([out], table=table)
    check_outside_models(out)
    check_not_of_a_run(out)


def _check_stdout(json: bool) -> None:
    from sensorium.errors import ConfigError

    if json:
        rule = "--json prints one JSON object to stdout, and --out - the predictions"
        raise ConfigError("--json cannot be combined with --out -", rule=rule, cure="name a file with --out")
