"""What is in a table: every column's modality and why, gaps, faults."""

from __future__ import annotations

from sensorium.cli import _options as o
from sensorium.cli._show import show, show_json


def inspect(
    table: o.Table,
    target: o.Target = None,
    columns: o.Columns = None,
    exclude: o.Exclude = None,
    modality: o.Modality = None,
    task: o.Task = None,
    config: o.Config = None,
    assign: o.Set = None,
    json: o.Json = False,
) -> None:
    """What is in a table: every column's modality and why, gaps, faults. Trains nothing.

    Example: sensorium inspect films.csv --target genre
    """
    from sensorium.config import Config
    from sensorium.inspection import inspect as look
    from sensorium.report import inspection_text

    settings = o.settings(config, assign, columns=columns, exclude=exclude, modality=modality, target=target, task=task)
    found = look(table, config=Config.gather(settings))
    show(inspection_text(found), json)
    show_json(found.to_json(), json)
