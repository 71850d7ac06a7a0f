"""Check reading settings that were saved with a model against the current file.

They fitted the training table. A later table may have another encoding or separator. A wrong encoding garbles text
without an error; a wrong separator gives a single column.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sensorium.config import TableConfig
from sensorium.errors import TableError
from sensorium.findings import Problem
from sensorium.table import csv, jsonl
from sensorium.table._encodings import UTF8, codec_of, garbled, is_utf8
from sensorium.table._read import finding
from sensorium.table._text import read_bytes, read_text

OTHERS: Sequence[dict[str, Any]] = (
    {"separator": None},
    {"skip_rows": 0},
    {"quotes": None},
    {"separator": None, "skip_rows": 0, "quotes": None, "comment": None},
)


def refit(path: Path, config: TableConfig, expected: Collection[str]) -> tuple[TableConfig, list[Problem]]:
    """Return the settings, changed where they do not fit the file, and findings about the changes.

    Args:
        path: a file.
        config: the model's settings.
        expected: columns that the model was trained on.
    """
    suffix = path.suffix.lower()
    if suffix not in (*csv.SUFFIXES, *jsonl.SUFFIXES) or not path.is_file():
        return config, []
    fitting, findings = _encoding(path, config)
    if suffix in csv.SUFFIXES:
        fitting, more = _head(path, fitting, expected)
        findings += more
    return fitting, findings


def _encoding(path: Path, config: TableConfig) -> tuple[TableConfig, list[Problem]]:
    codec = codec_of(config.encoding)
    if codec in UTF8:
        return config, []
    raw = read_bytes(path)
    if not is_utf8(raw, codec):
        return config, []
    good, bad = garbled(raw, config.encoding)
    reason = (
        "the file is UTF-8 and is read as such, although the model was fitted with "
        f"table.encoding={config.encoding}, which turns {good!r} into {bad!r}"
    )
    cure = f"save the file as {config.encoding} if that is wrong"
    return config.model_copy(update={"encoding": "utf-8"}), [finding(reason, cure)]


def _head(path: Path, config: TableConfig, expected: Collection[str]) -> tuple[TableConfig, list[Problem]]:
    """Return settings that give a header with most of the expected names."""
    changes = [{}, *(other for other in OTHERS if any(getattr(config, key) != other[key] for key in other))]
    if len(changes) == 1:
        return config, []
    data, best, choice = read_text(path, config.encoding).data, (-1, 0), dict[str, Any]()
    for change in changes:
        with suppress(TableError):  # where no settings fit, reading by the saved ones says why
            names = csv.csv_head(data, path, config.model_copy(update=change)).names
            score = (len({*names} & {*expected}), min(len(names), 2))
            if score > best:
                best, choice = score, change
    changed = {key: value for key, value in choice.items() if getattr(config, key) != value}
    if not changed:
        return config, []
    saved = ", ".join(f"table.{key}={getattr(config, key)!r}" for key in changed)
    reason = f"the file is read without {saved}: with this setting, its header does not match the training table"
    return config.model_copy(update=changed), [finding(reason, "save the file in the form of the training table")]
