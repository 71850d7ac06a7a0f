"""Results of evaluating slices of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sensorium.files.figures import finite
from sensorium.findings import count, shorten
from sensorium.metrics import Difference

ROUGH_ROWS = 30  # rows below which intervals of a slice are only rough
ROUGH_GROUPS = 10  # … and groups, where intervals resample groups


@dataclass(frozen=True)
class Slice:
    """Metrics of a model on some of the scored rows.

    Attributes:
        column: column or columns that define the slice; `present` for the modalities that the rows have.
        value: value or range of each of these columns.
        n: number of rows (units, if rows were aggregated).
        metrics: name → value; NaN if it is not defined.
        intervals: name → 95% interval.
        difference: watched metric of these rows minus that of all other rows, positive if these rows are predicted
            better; the rows of both are resampled. None if there are no other rows.
        groups: number of groups that intervals resample as a whole; None if they resample rows.
    """

    column: tuple[str, ...]
    value: tuple[str, ...]
    n: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    difference: Difference | None
    groups: int | None = None

    @property
    def rough(self) -> bool:
        """Return whether there are too few rows or groups for more than rough intervals."""
        return self.n < ROUGH_ROWS or (self.groups is not None and self.groups < ROUGH_GROUPS)

    @property
    def name(self) -> str:
        """Return the slice in words: `site = B and age = 40 to < 60`."""
        parts = zip(self.column, map(shorten, self.value), strict=True)
        return " and ".join(f"{column} {value if value[:1] in '<≥' else f'= {value}'}" for column, value in parts)

    def to_json(self) -> dict[str, Any]:
        """Return `{"column", "value", "n", "rough", "metrics", "intervals", "difference"}`, and `"groups"` if any."""
        return {
            "column": [*self.column],
            "value": [*self.value],
            "n": self.n,
            "rough": self.rough,
            "metrics": {name: finite(value) for name, value in self.metrics.items()},
            "intervals": {name: [finite(low), finite(high)] for name, (low, high) in self.intervals.items()},
            "difference": self.difference and self.difference.to_json(),
            **({} if self.groups is None else {"groups": self.groups}),
        }


@dataclass(frozen=True)
class WorseSlice:
    """Slice that the search found, or tested last.

    Attributes:
        slice: metrics of all of its rows.
        loss: mean loss of its tested rows: those in no slice that was found before.
        loss_elsewhere: mean loss of the other tested rows.
        tested: number of tested rows in the slice.
        p: p-value that the loss is not higher in the slice, corrected for all slices that were examined.
    """

    slice: Slice
    loss: float
    loss_elsewhere: float
    tested: int
    p: float

    def to_json(self) -> dict[str, Any]:
        figures = {"loss": self.loss, "loss_elsewhere": self.loss_elsewhere, "tested": self.tested, "p": self.p}
        return {**self.slice.to_json(), **figures}


@dataclass(frozen=True)
class SliceSearch:
    """Result of the search for slices with a higher loss.

    Attributes:
        loss: name of the loss.
        examined: number of slices that were compared.
        columns: what they were cut by.
        least: smallest number of rows of a slice.
        found: slices with a higher loss, the most significant first.
        next: the most significant slice whose p-value is not below 0.025; None if no slice was left to test.
    """

    loss: str
    examined: int
    columns: Sequence[str]
    least: int
    found: Sequence[WorseSlice]
    next: WorseSlice | None

    def to_json(self) -> dict[str, Any]:
        return {
            "loss": self.loss,
            "examined": self.examined,
            "columns": [*self.columns],
            "least": self.least,
            "found": [worse.to_json() for worse in self.found],
            "next": self.next and self.next.to_json(),
        }


@dataclass(frozen=True)
class Slices:
    """Metrics of slices of the scored rows.

    Attributes:
        metric: watched metric, whose differences are computed.
        columns: column → its slices; those of the columns that were named.
        search: result of the search for worse slices; None if there was none.
    """

    metric: str
    columns: Mapping[str, Sequence[Slice]] = field(default_factory=dict)
    search: SliceSearch | None = None

    def __str__(self) -> str:
        """Return one line per slice with its watched metric, and one per slice that the search found."""
        lines = list[str]()
        for column, slices in self.columns.items():
            lines.append(f"{self.metric} by {column}")
            lines += [self._line(own, own.value[0]) for own in slices]
        if self.search:
            lines.append(f"slices with a higher {self.search.loss}: {len(self.search.found) or 'none'}")
            lines += [f"{self._line(worse.slice, worse.slice.name)}, p {worse.p:.3f}" for worse in self.search.found]
        return "\n".join(lines)

    def _line(self, own: Slice, name: str) -> str:
        low, high = own.intervals[self.metric]
        figures = f"{own.metrics[self.metric]:.4g} ({low:.4g} to {high:.4g})"
        few = ", few rows" if own.rough else ""
        return f"{shorten(name)}  {figures if math.isfinite(low) else figures.split()[0]}, {count(own.n, 'row')}{few}"

    def to_json(self) -> dict[str, Any]:
        """Return `{"metric", "columns"}`, and `"search"` if there was one."""
        return {
            "metric": self.metric,
            "columns": {name: [own.to_json() for own in slices] for name, slices in self.columns.items()},
            **({"search": self.search.to_json()} if self.search else {}),
        }
