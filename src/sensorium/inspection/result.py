"""Result of an inspection."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sensorium.errors.printable import printable
from sensorium.findings import Problem
from sensorium.modalities import Overview
from sensorium.schema import Advice, Copies

SHOWN = 100  # columns in the text of an inspection


@dataclass(frozen=True, repr=False)
class ColumnReport:
    """Report of one column.

    Attributes:
        name, modality, reason, caution: as in its plan; modality is None if it is left out.
        rows, missing, distinct: counts of its cells.
        examples: a few values.
        unreadable: of the decoded cells, how many cannot be used as they are, and why.
        checked: number of cells that were decoded.
        undecodable: number of those that are not empty and cannot be decoded: the model reads them as missing.
        faults: `unreadable` in parts: {"reason", "cure", "count", "rows" (the first), "value" (the first)}.
        commonest: values and how often they occur, if values recur.
        findings: what was guessed, dropped, converted or cut for the column as a whole, beside `caution`.
        overview: figures of the modality: distributions, some images and curves.
    """

    name: str
    modality: str | None
    reason: str
    caution: str
    rows: int
    missing: int
    distinct: int
    examples: list[str]
    unreadable: list[str]
    checked: int
    undecodable: int
    faults: list[dict[str, Any]]
    commonest: list[tuple[str, int]]
    overview: Overview
    findings: list[Problem]

    def __repr__(self) -> str:
        undecodable = f", {self.undecodable:,} of {self.checked:,} undecodable" if self.undecodable else ""
        figures = f"{self.rows:,} rows, {self.missing:,} missing{undecodable}, {self.distinct:,} different"
        kind = self.modality or "left out"
        return printable(f"<sensorium.ColumnReport {self.name!r}: {kind}, {self.reason}; {figures}>")

    @property
    def coverage(self) -> dict[str, float]:
        """Return the shares of cells that are `present`, `missing` and `undecodable` (estimated from those decoded)."""
        missing = self.missing / self.rows if self.rows else 0.0
        undecodable = min(self.undecodable / self.checked, 1 - missing) if self.checked else 0.0
        return {"present": 1 - missing - undecodable, "missing": missing, "undecodable": undecodable}

    def to_json(self) -> dict[str, Any]:
        """Return the attributes, `coverage`, and for `overview` the `distribution`: a histogram of each figure.

        {"name", "count", "lowest", "median", "highest", "edges", "counts"}; dates are counted in days.
        """
        hidden = ("overview", "findings")  # the findings are among the notices
        content = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in hidden}
        return content | {"coverage": self.coverage, "distribution": self.overview.to_json()}


@dataclass(frozen=True)
class Inspection:
    """Result of `inspect`: the columns of a table, its target, split and problems.

    Attributes:
        table: its name.
        rows: number of rows.
        columns: one report per column, in the table's order.
        target: column, task, reason, caution and missing labels, if a target is given; `labels` counts them, in all
            rows and by split, if the task is not regression.
        split: how the rows are or would be split, and their counts, if a target is given.
        notices: what was guessed, dropped, converted or cut for the table, its columns and its cells (of those that
            were decoded), as `ProblemGroup.to_json`.
        table_notices: those of the table as a whole.
        copies: rows that are the same or nearly, above all across splits.
        advice: settings to consider: {"setting", "column", "reason"}.
        every: whether every cell was decoded, not a sample of each column.

    Example:
        >>> found = sensorium.inspect("films.csv", "genre")
        >>> found.rows
        90
        >>> [(column.name, column.modality) for column in found.columns][:3]
        [('plot', 'text'), ('length', 'number'), ('studio', 'category')]
    """

    table: str
    rows: int
    columns: list[ColumnReport]
    target: dict[str, Any] | None
    split: dict[str, Any] | None
    notices: list[dict[str, Any]]
    table_notices: list[dict[str, Any]]
    copies: list[Copies]
    advice: list[Advice]
    every: bool

    def __str__(self) -> str:
        """Return one line per column, of 100 columns at most: its modality, the reason, and what to check."""
        shown = self.columns[:SHOWN]
        wide = max((len(column.name) for column in shown), default=0)
        lines = [f"{self.table}: {self.rows:,} rows, {len(self.columns):,} columns"]
        for column in shown:
            caution = f"; {column.caution}" if column.caution else ""
            lines.append(f"{column.name:<{wide}}  {column.modality or 'left out'}: {column.reason}{caution}")
        if len(self.columns) > SHOWN:
            lines.append(f"and {len(self.columns) - SHOWN:,} more columns: see `columns`")
        return printable("\n".join(lines))

    def __repr__(self) -> str:
        return f"<sensorium.Inspection of {self.table}: {self.rows:,} rows, {len(self.columns):,} columns>"

    def to_json(self) -> dict[str, Any]:
        """Return the attributes without images and curves, which only the page shows.

        Example:
            >>> found = sensorium.inspect("films.csv", "genre").to_json()
            >>> found["target"]["task"], found["split"]["rows"]
            ('multiclass', {'train': 72, 'validation': 9, 'test': 9})
        """
        names = [field.name for field in fields(self) if field.name != "table_notices"]
        content = {name: getattr(self, name) for name in names}
        content["columns"] = [column.to_json() for column in self.columns]
        content["copies"] = [copies.to_json() for copies in self.copies]
        return content
