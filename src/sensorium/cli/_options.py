"""Options that several commands share, and the settings they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

TABLES = (
    "TABLE is a CSV, TSV, JSON Lines, Parquet, Arrow, Feather, SQLite, "
    "DuckDB or Excel file, a folder of class folders "
    "or of Parquet parts, or postgresql://user@host/name. Columns of files hold paths relative to the table."
)
MODELS = "MODEL is the folder of a run, or the folder or zip file of a model."

Table: TypeAlias = Annotated[
    str, typer.Argument(metavar="TABLE", help="Table: a file, folder or database; formats: `sensorium --help`.")
]
Model: TypeAlias = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Model: the folder of a run, or the folder or zip file of a model.")
]
Target: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Column to predict. Repeat it to predict several columns with one model."),
]
Columns: TypeAlias = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Use only these columns; by default all.")
]
Exclude: TypeAlias = Annotated[str | None, typer.Option(metavar="A,B,…", help="Ignore these columns; by default none.")]
Modality: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=NAME", help="Set a column's modality: age=category; inferred by default. May be repeated."
    ),
]
Task: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Task (see `sensorium list tasks`); by default inferred from the target."),
]
Epochs: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Maximum number of passes over the training rows; by default it depends on their number.",
    ),
]
SplitColumn: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column with the split of each row: train, validation or test; by default a column called split, if "
        "there is one, else rows are split at random.",
    ),
]
Stream: TypeAlias = Annotated[
    bool, typer.Option("--stream", help="Decode files in every epoch; write no cache to disk.")
]
Overwrite: TypeAlias = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the run in --out, once the new run is complete."),
]
Folds: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        min=2,
        help="Cross-validate: train once per fold and test on its rows; metrics are means over K folds; "
        "without it, one split.",
    ),
]
Repeats: TypeAlias = Annotated[
    int, typer.Option(metavar="N", min=1, help="Cut the rows into folds N times, each time with another seed.")
]
Seed: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=0, help="Random seed; 0 by default. The same seed, data and machine give the same result."
    ),
]
Device: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="Device to run on: auto (the default), cpu, cuda or cuda:1.")
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="YAML file of settings, such as `sensorium init` writes; command-line options override it."
    ),
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any setting (see `sensorium list settings`): learning_rate=0.001. May be repeated; "
        "overrides other options and --config.",
    ),
]
By: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Average the scores of rows with the same value, such as those of a patient, to one prediction; metrics "
        "and intervals count these units. By default, each row is predicted.",
    ),
]
Coverage: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        help="Prediction sets of classes, or intervals of amounts, that contain the truth with this probability, such "
        "as 0.9 (conformal prediction); by default none.",
    ),
]
CoveragePer: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="ROWS",
        help="The rows for which --coverage holds: `modalities`, rows with values of the same modalities; `class`, "
        "rows of each true class; or `all`, all rows together.",
    ),
]
SetOfModel: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a setting that is not saved with models: table.query=films, table.allow_outside=true. May be "
        "repeated.",
    ),
]
Threshold: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        help="Probability from which the positive class, or a label, is predicted; by default that of the model.",
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print errors only, and the JSON object with --json.")
]


def out(text: str, metavar: str = "FOLDER") -> Any:
    """Return the option `--out`, which names what a command writes.

    Args:
        text: its help.
        metavar: the placeholder of its value.
    """
    return typer.Option("--out", "-o", metavar=metavar, help=text)


def settings(
    config: Path | None,
    assignments: list[str] | None,
    *,
    columns: str | None = None,
    exclude: str | None = None,
    modality: list[str] | None = None,
    target: list[str] | None = None,
    **others: Any,
) -> dict[str, Any]:
    """Merge settings: flags override the YAML file, `--set` overrides both. A flag is named `train__epochs`."""
    from sensorium.config import joined_option, merge_layers, overlay, parse_assignments, read_yaml

    if wrong := joined_option("fusion", others.get("fusion") or "", "--fusion"):
        raise wrong
    flags: dict[str, Any] = {}
    for name, value in others.items():
        if value is not None:
            group, _, key = name.rpartition("__")
            flags = overlay(flags, {group: {key: value}} if group else {key: value})
    if columns is not None:
        flags["columns"] = names(columns)
    if exclude is not None:
        flags["exclude"] = names(exclude)
    if target:
        flags["target"] = target
    if modality:
        flags["modalities"] = dict(map(_assignment, modality))
    return merge_layers(read_yaml(config) if config else {}, flags, parse_assignments(assignments or []))


def _assignment(text: str) -> tuple[str, str]:
    from sensorium.config import modality_option
    from sensorium.errors import ConfigError

    name, equals, kind = text.rpartition("=")
    if wrong := modality_option(name, kind):
        raise wrong
    if not equals:
        raise ConfigError(
            f"--modality {text!r} must name a column and a modality", rule="column=modality, as in age=category"
        )
    return name, kind


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
