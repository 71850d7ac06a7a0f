"""Plan one column: its modality by setting or by the best claim, or why it is left out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pyarrow as pa

from sensorium.config import Config, as_modality
from sensorium.findings import ColumnPlan, Guess, count
from sensorium.findings.claims import CERTAIN, best_claim
from sensorium.labels.check_marks import holds_check_marks
from sensorium.registry import modalities
from sensorium.schema._column_settings import ColumnSettings
from sensorium.schema.identifiers import find_identifier
from sensorium.table import Column, is_encoded_file

FEW = 50  # cells that show that a column holds data URLs or base64


def kind_of(column: Column, config: Config) -> str | None:
    """Return the modality of a column that is itself left out."""
    chosen = config.modalities.get(column.name)
    return (chosen and chosen.name) or (best_claim(modalities, column, str)[0] if len(column.values) else None)


def plan_column(column: Column, settings: ColumnSettings) -> ColumnPlan:
    name, config, unread = column.name, settings.config, column.origin.unread
    if role := settings.roles.get(name):
        return ColumnPlan(name, None, role)
    if is_left_out(name, settings):
        return ColumnPlan(name, None, "left out by setting")
    if unread:
        return ColumnPlan(
            name, None, f"no modality fits {unread}", column.origin.cure or "convert it to text or numbers to use it"
        )
    if not len(column.values):
        return ColumnPlan(name, None, "every cell is missing", caution="there is nothing to learn from")
    plan = _by_setting(column, config)
    if plan:
        return plan
    if column.distinct == 1:
        return _of_one_value(column)
    column, found, guess = _claimed(column)
    identifier = None if settings.asks_for(name) else find_identifier(column, found, guess)
    if identifier:
        return ColumnPlan(name, None, identifier.reason, identifier.caution)
    if not found:
        reason = f"no modality fits Arrow type {column.data.type}"
        return ColumnPlan(name, None, reason, "convert it to text or numbers to use it")
    reason = "; ".join(filter(None, (guess.reason, column.origin.converted)))
    caution = "; ".join(filter(None, (column.origin.lost, guess.caution)))
    return ColumnPlan(name, found, reason, caution, guess.confidence)


def is_left_out(name: str, settings: ColumnSettings) -> bool:
    """Return whether the settings leave the column out."""
    return name in settings.exclude or (settings.only is not None and name not in settings.only)


def _of_one_value(column: Column) -> ColumnPlan:
    """Plan a column with one value: check marks are informative by their empty cells; other columns are left out."""
    value, kind = f"{str(column.sample(1)[0])[:40]!r}", column.data.type
    filled, empty = count(len(column.values), "cell"), len(column) - len(column.values)
    if not holds_check_marks(column):
        reason = f"always {value}" + (f" but for {count(empty, 'empty cell')}" if empty else "")
        return ColumnPlan(column.name, None, reason, f"to use it: {as_modality(column.name, 'category')}")
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        caution = "whether a cell is filled may be informative: make a column of yes and no to use it"
        return ColumnPlan(column.name, None, f"always {value} but for {empty:,} empty cells", caution)
    reason = f"check marks: {value} in {filled}, {empty:,} are empty; the model learns whether a cell is filled"
    return ColumnPlan(column.name, "category", reason, confidence=CERTAIN)


def _claimed(column: Column) -> tuple[Column, str | None, Guess]:
    """Return the best claim; if numbers are not claimed (such as the lot number 1E10), the claim on their text."""
    flag = partial(as_modality, column.name)
    if column.is_string and all(map(is_encoded_file, column.sample(FEW))):
        # Modalities of words would split megabytes of base64 into words.
        of_files = [name for name in modalities.names() if modalities.load(name).cacheable]
        found, guess = best_claim(modalities, column, flag, of_files)
        if found:
            return column, found, guess
    found, guess = best_claim(modalities, column, flag)
    if found or column.spelling is None:
        return column, found, guess
    column = replace(column, data=column.spelling, spelling=None)
    return column, *best_claim(modalities, column, flag)


def _by_setting(column: Column, config: Config) -> ColumnPlan | None:
    """Return the plan of a column whose modality the settings name."""
    name, chosen, windows = column.name, config.modalities.get(column.name), config.table.windows
    if chosen and chosen.name:
        modalities.entry(chosen.name)
        return ColumnPlan(name, chosen.name, "by setting")
    if windows and name in windows.series:
        return ColumnPlan(name, "series", f"by setting: windows of {windows.length} steps")
    if sources := config.table.series.get(name):
        return ColumnPlan(name, "series", f"by setting: {' … '.join(dict.fromkeys([sources[0], sources[-1]]))}")
    return None
