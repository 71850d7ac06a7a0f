"""Join columns into one series: `load: t*` takes t0, t1 … as steps, `prices: [open, close]` lists as channels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from sensorium.config import Config, of_columns
from sensorium.errors import TableError, did_you_mean, raise_together
from sensorium.findings import Problem
from sensorium.table._notation import Notation, with_point
from sensorium.table._numbers import as_lists, as_numbers, holds_lists, join_channels, natural, rows_of_lists
from sensorium.table._table import Table, one_array


def join_series(table: Table, declared: Mapping[str, Sequence[str]], *, gaps: bool) -> Table:
    """Return a table in which each declared series is a column of lists, in place of its source columns.

    Args:
        table: the rows.
        declared: series → columns in the order of time, or of channels; `*` in a name stands for a number. A series may
            be made of earlier ones.
        gaps: whether a missing column is reported and becomes a gap in every row, instead of raising an error.

    Raises:
        TableError: columns do not exist, hold neither numbers nor lists of numbers, or are a mixture of both; or a
            series has the name of another column.
    """
    columns = {name: one_array(table.arrow.column(name)) for name in table.columns}
    named = _expand(declared, table.columns)
    _check(table, named, gaps=gaps)
    problems, lacks = list[Problem](), dict[str, list[str]]()
    for name, sources in named.items():
        there = {source: columns[source] for source in sources if source in columns}
        lacks[name] = [source for source in sources if source not in columns]
        if there:
            made, told = _join(name, sources, there, table)
            columns[name] = made
            problems += told
    used = {source for name, sources in named.items() for source in sources if source != name}
    arrow = pa.table({name: column for name, column in columns.items() if name not in used})
    return replace(table, arrow=arrow, series=named, lacks=lacks, problems=(*table.problems, *problems))


def as_read(config: Config, table: Table) -> Config:
    """Return the settings with every series as a list of column names, so that other tables use the same ones.

    Settings of a column use its full name.
    """
    config = of_columns(config, table.columns)
    series = {name: list(sources) for name, sources in table.series.items()}
    return config.model_copy(update={"table": config.table.model_copy(update={"series": series})})


def _expand(declared: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, list[str]]:
    """Expand `t*` to t0, t1 … t10 in numerical order; patterns that match nothing are unchanged."""
    expanded: dict[str, list[str]] = {}
    for name, entries in declared.items():
        known, found = [*names, *expanded], list[str]()
        for entry in entries:
            pattern = re.escape(entry).replace(r"\*", "[0-9]+")
            fitting = sorted(filter(re.compile(pattern).fullmatch, known), key=natural)
            found += [entry] if entry in known or not fitting else fitting
        expanded[name] = found
    return expanded


def _check(table: Table, named: Mapping[str, list[str]], *, gaps: bool) -> None:
    faults = list[TableError]()
    for name, sources in named.items():
        place = f"table.series.{name}"
        known = [*table.columns, *(other for other in named if other != name)]
        if name in table.columns and name not in sources:
            rule = "a series must not have the name of another column"
            faults.append(TableError(f"the table already has a column {name!r}", place=place, rule=rule))
        faults += [
            TableError(f"the table has no column {source!r}", place=place, cure=did_you_mean(source, known))
            for source in sources
            if source not in known and not gaps
        ]
        twice = sorted({source for source in sources if sources.count(source) > 1})
        faults += [TableError(f"column {source!r} occurs twice", place=place) for source in twice]
    raise_together(faults)


def _join(
    name: str, sources: Sequence[str], there: Mapping[str, pa.Array], table: Table
) -> tuple[pa.Array, list[Problem]]:
    place = f"table.series.{name}"
    lists = [source for source, column in there.items() if holds_lists(column)]
    numbers = [source for source in there if source not in lists and there[source].null_count < len(table)]
    if lists and numbers:
        finding = f"column {lists[0]!r} holds lists and column {numbers[0]!r} does not"
        raise TableError(
            finding,
            place=place,
            rule="all columns hold numbers (one column per step), or all hold lists (one per channel)",
        )
    if lists:
        return _join_lists(name, sources, there, place)
    return _join_steps(name, sources, there, table.conventions.notation())


def _join_steps(
    name: str, sources: Sequence[str], there: Mapping[str, pa.Array], notation: Notation | None
) -> tuple[pa.Array, list[Problem]]:
    place, rows = f"table.series.{name}", len(next(iter(there.values())))
    steps, problems = np.full((rows, len(sources)), np.nan), list[Problem]()
    for step, source in enumerate(sources):
        if source in there:
            cells = with_point(there[source], notation)
            steps[:, step], told = as_numbers(cells, source, place)
            problems += [replace(problem, column=name, reason=f"{source}: {problem.reason}") for problem in told]
    return rows_of_lists(steps, place), problems


def _join_lists(
    name: str, sources: Sequence[str], there: Mapping[str, pa.Array], place: str
) -> tuple[pa.Array, list[Problem]]:
    rows = len(next(iter(there.values())))
    none = pa.nulls(rows, pa.list_(pa.float64()))
    parts = [as_lists(_or_none(there.get(source), none), source, place) for source in sources]
    told = [replace(p, column=name, reason=f"{p.column}: {p.reason}") for part in parts for p in part.problems]
    joined, uneven = join_channels(parts, place)
    reason = f"{', '.join(sources)} have different lengths: aligned at their last step, with gaps before"
    return joined, told + [Problem(int(row), name, reason) for row in np.flatnonzero(uneven)]


def _or_none(column: pa.Array | None, none: pa.Array) -> pa.Array:
    return none if column is None or column.null_count == len(column) else column
