"""Cells that could not be taken as they are: nothing is lost silently, each is counted, with row, reason and cure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

VALUE_SHOWN = 80  # characters of a cell's value that a report quotes


@dataclass(frozen=True)
class Problem:
    """One cell (or one row, where `column` is empty) and what was done about it.

    Attributes:
        row: 0-based row of the table.
        column: the column's name; empty where the whole row is meant.
        reason: what is wrong and how the cell was read ("read as missing", …).
        cure: what the user can do.
        value: the cell, shortened.
    """

    row: int
    column: str
    reason: str
    cure: str = ""
    value: str = ""


@dataclass(frozen=True)
class ProblemGroup:
    """Problems of one column that share reason and cure."""

    column: str
    reason: str
    cure: str
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.problems)

    def __str__(self) -> str:
        first = self.problems[0]
        where = f"column {self.column!r}: " if self.column else ""
        example = f", {first.value!r}" if first.value else ""
        cure = f" – {self.cure}" if self.cure else ""
        return f"{where}{len(self)} × {self.reason} (first: row {first.row}{example}){cure}"


@dataclass
class Problems:
    """What a run collected."""

    items: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.items)

    def add(self, problem: Problem) -> None:
        self.items.append(problem)

    def extend(self, problems: Problems | list[Problem]) -> None:
        self.items.extend(problems)

    def groups(self) -> list[ProblemGroup]:
        """Grouped by column, reason and cure, the largest group first."""
        found: dict[tuple[str, str, str], list[Problem]] = {}
        for item in self.items:
            found.setdefault((item.column, item.reason, item.cure), []).append(item)
        return sorted((ProblemGroup(*key, tuple(rows)) for key, rows in found.items()), key=len, reverse=True)

    def to_jsonl(self) -> bytes:
        """One JSON object a line."""
        return "".join(json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in self.items).encode()


def shorten(value: object) -> str:
    """A cell's value as a report quotes it."""
    text = f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}… ({len(text):,} characters)"


def count(number: int, noun: str) -> str:
    """`count(1, "row")` is "1 row", `count(2000, "row")` is "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Unreadable(Exception):
    """A cell that can't be decoded; whoever reads a column turns it into a missing cell with this reason."""

    def __init__(self, reason: str, cure: str = "") -> None:
        super().__init__(reason)
        self.reason, self.cure = reason, cure


class Nothing(Unreadable):
    """A cell without anything of the kind that is looked for: no fault in a view of another column's cells."""
