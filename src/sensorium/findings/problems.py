"""Problems: cells that could not be used as they are, with row, reason and cure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

from sensorium.errors.printable import printable_json
from sensorium.findings._words import count

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

EXAMPLES = 3  # rows that a group names
ROW_HAS = "the row has "  # begins a reason about a whole row


@dataclass(frozen=True)
class Problem:
    """Problem of one cell, row, column or table, and how it was handled.

    Attributes:
        row: 0-based row of the table; None for a problem of the whole column (or table).
        column: the column's name; empty for a problem of the whole row (or table).
        reason: what is wrong and how the cell was read ("read as missing", …).
        cure: what the user can do, or the setting that changes it.
        value: the cell, shortened.
    """

    row: int | None
    column: str
    reason: str
    cure: str = ""
    value: str = ""

    def at(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Problem:
        """Return the problem with its row counted in the whole table, given the rows that were read."""
        return self if self.row is None else replace(self, row=int(rows[self.row]))

    def sentence(self) -> str:
        """Return the problem as one line of progress."""
        name, cure = f"{self.column}: " if self.column else "", f"; {self.cure}" if self.cure else ""
        return f"? {name}{self.reason}{cure}"

    def place(self) -> int:
        """Return the sort key: the row, whole columns first."""
        return -1 if self.row is None else self.row


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
        if first.row is None:
            return f"{where}{self.reason}{cure}"
        return f"{where}{self._counted()} (first: row {first.row}{example}){cure}"

    def _counted(self) -> str:
        """Return the reason with the number of problems; a reason about a whole row becomes a sentence about rows."""
        if self.reason.startswith(ROW_HAS) and not self.column:
            verb = "has" if len(self) == 1 else "have"
            return f"{count(len(self), 'row')} {verb} {self.reason.removeprefix(ROW_HAS)}"
        return f"{len(self)} × {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return {"column", "reason", "cure", "count", "rows", "value"}.

        `rows` are the first ones, `value` is that of the first; `rows` is empty for a whole column or table.
        """
        rows = [problem.row for problem in self.problems[:EXAMPLES] if problem.row is not None]
        found = {"column": self.column, "reason": self.reason, "cure": self.cure, "count": len(self)}
        return found | {"rows": rows, "value": self.problems[0].value}


@dataclass
class Problems(Sequence[Problem]):
    """Collected problems, as a sequence.

    >>> from sensorium.findings import Problem, Problems
    >>> problems = Problems([Problem(row, "size", "not a number") for row in range(3)])
    >>> problems[0].row, len(problems[:2])
    (0, 2)
    """

    items: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.items)

    @overload
    def __getitem__(self, place: int) -> Problem: ...

    @overload
    def __getitem__(self, place: slice) -> Problems: ...

    def __getitem__(self, place: int | slice) -> Problem | Problems:
        return Problems(self.items[place]) if isinstance(place, slice) else self.items[place]

    def add(self, problem: Problem) -> None:
        self.items.append(problem)

    def extend(self, problems: Problems | list[Problem]) -> None:
        self.items.extend(problems)

    def groups(self) -> list[ProblemGroup]:
        """Return the problems grouped by column, reason and cure: whole columns first, then the largest group."""
        found: dict[tuple[str, str, str], list[Problem]] = {}
        for item in self.items:
            found.setdefault((item.column, item.reason, item.cure), []).append(item)
        groups = [ProblemGroup(*key, tuple(rows)) for key, rows in found.items()]
        return sorted(groups, key=lambda group: (group.problems[0].row is not None, -len(group)))

    def whole(self) -> Problems:
        """Return the problems of whole columns or of the table."""
        return Problems([item for item in self.items if item.row is None])

    def of_cells(self) -> Problems:
        """Return the problems of single cells or rows."""
        return Problems([item for item in self.items if item.row is not None])

    @classmethod
    def from_jsonl(cls, content: bytes) -> Problems:
        """Read the problems that `to_jsonl` wrote.

        Raises:
            ValueError, TypeError: the content is not of this form.
        """
        return cls([Problem(**json.loads(line)) for line in content.decode().splitlines()])

    def to_jsonl(self) -> bytes:
        """Return the problems as JSON Lines."""
        return "".join(printable_json(asdict(item)) + "\n" for item in self.items).encode()
