"""Read the cells of a target as labels: missing labels, spellings of the same label, contents of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from sensorium.config import Config
from sensorium.files.state import from_saved
from sensorium.findings import Problem
from sensorium.labels._label_cells import about_infinite, count_cells, joined, narrowed, without_infinite
from sensorium.labels._missing_words import missing_words
from sensorium.labels._spellings import about_blanks, about_case, case_only_twins, usual_spellings
from sensorium.labels.lists import Lists, lists_of
from sensorium.table import FILE_FIELDS, Column, spelt_codes, without_codes


@dataclass(frozen=True)
class LabelReading:
    """Notation of the labels of a target, learned from the target and applied cell by cell.

    Attributes:
        missing: words that stand for a missing label, in lower case.
        spelt: spelling → usual spelling of the same label, if they differ by surrounding blanks (or by case).
        numeric: whether the other cells are numbers.
        fold_case: whether labels that differ only in case are merged.
        lists: content of the lists.
        told: findings, each with the setting that changes it.
        parts: for several targets, the reading of each.
    """

    missing: list[str] = field(default_factory=list)
    spelt: dict[str, str] = field(default_factory=dict)
    numeric: bool = False
    fold_case: bool = False
    lists: Lists = field(default_factory=Lists)
    told: list[list[str]] = field(default_factory=list)
    parts: dict[str, LabelReading] = field(default_factory=dict)

    def apply(self, column: Column) -> Column:
        """Return the labels of a column's cells."""
        if self.parts and column.parts:
            return joined(column, {name: self.parts[name].apply(part) for name, part in column.parts.items()})
        column = without_infinite(self.lists.apply(column))
        if self.missing and column.is_number:
            return without_codes(column, self.missing)
        if not (column.is_string and (self.missing or self.spelt)):
            return column
        data = self._changed(column.data)
        return narrowed(column, data) if self.numeric else replace(column, data=data)

    @property
    def reason(self) -> str:
        """Describe how the cells are read; empty if they are unchanged."""
        return self.lists.reason

    def findings(self, column: str) -> list[Problem]:
        return [Problem(None, column, reason, cure) for reason, cure in self.told]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Self:
        """Restore a reading from `to_json`; raise ValueError if it is not valid."""
        lists, parts = content.get("lists", {}), content.get("parts", {})
        if not (isinstance(lists, Mapping) and isinstance(parts, Mapping)):
            raise ValueError("'lists' and 'parts' must be mappings")
        found = {name: cls.of_json(part) for name, part in parts.items()}
        of_lists = from_saved(Lists, lists)
        if of_lists.names and len(of_lists.names) != of_lists.width:
            raise ValueError(f"{len(of_lists.names)} names for {of_lists.width} positions")
        return from_saved(cls, {**content, "lists": of_lists, "parts": found})

    def _changed(self, data: pa.Array) -> pa.Array:
        """Replace words for a missing label by null, and spellings by the usual ones."""
        words = pc.utf8_lower(pc.utf8_trim_whitespace(data))
        said = pc.is_in(words, pa.array(self.missing, pa.string()))
        data = pc.if_else(said, pa.scalar(None, pa.string()), data)
        if not self.spelt:
            return data
        places = pc.index_in(data, pa.array([*self.spelt], pa.string()))
        return pc.coalesce(pa.array([*self.spelt.values()], pa.string()).take(places), data)


def read_labels(column: Column, config: Config) -> tuple[Column, LabelReading]:
    """Read a target's labels, and return how they were read.

    Args:
        column: every row of the target.
        config: `table.missing` sets the words for a missing label; `table.labels` whether case counts;
            `table.lists` names the positions of a list.
    """
    if column.parts and not FILE_FIELDS & set(column.parts):
        found = {name: read_labels(part, config) for name, part in column.parts.items()}
        reading = LabelReading(parts={name: own for name, (_, own) in found.items()})
        return reading.apply(column), reading
    lists = lists_of(column, config.table.lists.get(column.name, ()))
    if lists.kind:
        reading = LabelReading(lists=lists)
        return reading.apply(column), reading
    if column.is_number:
        reading = LabelReading([word for word in config.table.missing if spelt_codes([word])])
        return reading.apply(column), replace(reading, told=about_infinite(column))
    if not column.is_string or not len(column.values):
        return column, LabelReading(fold_case=config.table.labels == "fold_case")
    reading = _read_texts(count_cells(column), config)
    return reading.apply(column), reading


def _read_texts(cells: Counter[str], config: Config) -> LabelReading:
    missing, numeric, told = missing_words(cells, config)
    labels = Counter({text: n for text, n in cells.items() if text.strip().casefold() not in missing})
    fold = config.table.labels == "fold_case"
    spelt, blanks = usual_spellings(labels, str.casefold if fold else str)
    if blanks:
        told.append(about_blanks(blanks))
    twins = {} if fold else case_only_twins(labels, spelt)
    if twins:
        told.append(about_case(twins))
    return LabelReading(sorted(missing), spelt, numeric, fold, told=told)
