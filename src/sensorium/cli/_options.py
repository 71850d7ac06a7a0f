"""Options that several commands share, and how they become settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

Table: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="CSV, TSV, JSON Lines, Parquet, Arrow, Feather, SQLite, DuckDB or Excel file, a folder of class folders "
        "or of Parquet parts, or postgresql://user@host/name; file columns hold paths relative to it."
    ),
]
Model: TypeAlias = Annotated[Path, typer.Argument(help="A run's folder, a model's folder or a model's zip.")]
Target: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Column to predict. Repeat it to predict several columns with one model.")
]
Columns: TypeAlias = Annotated[str | None, typer.Option(help="Use only these columns: a,b,c.")]
Exclude: TypeAlias = Annotated[str | None, typer.Option(help="Ignore these columns: a,b.")]
Modality: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Set a column's modality: age=category. May be repeated.")
]
Task: TypeAlias = Annotated[
    str | None, typer.Option(help="Task (see `sensorium list tasks`); inferred from the target by default.")
]
Epochs: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Maximum number of passes over the training rows.")]
SplitColumn: TypeAlias = Annotated[str | None, typer.Option(help="Column that says train, validation or test.")]
Stream: TypeAlias = Annotated[
    bool, typer.Option("--stream", help="Decode files in every epoch; write no cache to disk.")
]
Seed: TypeAlias = Annotated[
    int | None, typer.Option(min=0, help="Random seed. The same seed, data and machine give the same weights.")
]
Device: TypeAlias = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1 …")]
Config: TypeAlias = Annotated[
    Path | None, typer.Option(help="YAML file of settings; command-line options override it.")
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Any setting (see `sensorium list settings`): learning_rate=0.001. May be repeated; overrides others.",
    ),
]
Reach: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A setting that is not saved with models: table.query=films, table.allow_outside=true. May be repeated.",
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors and results.")]


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
    """The YAML file, flags over it, `--set` over both; other flags are named like their setting: `train__epochs`."""
    from sensorium.config import overlay, parse_assignments, read_yaml

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
    return overlay(overlay(read_yaml(config) if config else {}, flags), parse_assignments(assignments or []))


def _assignment(text: str) -> tuple[str, str]:
    from sensorium.errors import ConfigError

    name, equals, kind = text.rpartition("=")
    if not equals:
        raise ConfigError(f"--modality {text!r} names no modality", rule="column=modality, as in age=category")
    return name, kind


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
