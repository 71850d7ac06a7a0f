"""Read a table for a fitted model: open it as in training, and prepare it in chunks that bound the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sensorium.findings import Problem, Problems
from sensorium.model import FittedModel
from sensorium.prepare import (
    Prepared,
    absent_columns,
    at_rows,
    check_some_column,
    prepare_columns,
    swapped_columns,
    unread_columns,
)
from sensorium.runtime.progress import Reporter
from sensorium.table import Table, open_table

CHUNK = 8192  # rows prepared at a time
NOTHING_PRESENT = "the row has no value in any column: the prediction is the average of the training rows"


def open_rows(
    fitted: FittedModel, table: Any, report: Reporter, *, keep: str | Sequence[str] = (), empty: bool = False
) -> Table:
    """Open a table for a model.

    Args:
        fitted: the model. Columns that were text in training are read as text.
        table: anything that `fit` takes, or a dict of cells, which is one row.
        report: logs remarks on how the table was opened.
        keep: columns of the source to copy beside predictions.
        empty: whether a table without rows is accepted.
    """
    names = {*fitted.learnt, *fitted.views.values()}
    text = fitted.data.text_columns
    with report.phase("reading the table"):
        opened = open_table(table, fitted.config.table, text=text, gaps=True, expected=names, keep=keep, empty=empty)
    opened = tell_unset(opened.with_views(fitted.views), fitted.unset)
    for note in opened.notes:
        report.log(note)
    return opened


def prepare_chunks(fitted: FittedModel, table: Table, problems: Problems, report: Reporter) -> Iterator[Prepared]:
    """Encode the rows of a table in chunks, in order.

    Args:
        fitted: the model.
        table: the table that `open_rows` returned.
        problems: collects the problems of cells, with rows counted in the whole table.
        report: logs progress.
    """
    problems.extend([problem for problem in table.problems if problem.row is None])
    if not len(table) and table.columns:
        check_some_column(table, fitted.learnt)
        problems.extend([*absent_columns(table, fitted.learnt), *unread_columns(table, fitted.learnt)])
    for rows in _chunks(len(table)):
        prepared = prepare_columns(table.take(rows), fitted.learnt, report)
        whole = set(problems.whole())  # problems of a column are reported with every chunk
        problems.extend([p for p in at_rows(prepared.problems, rows) if p not in whole])
        if rows[0] == 0:
            problems.extend(swapped_columns(table.take(rows), fitted.learnt, prepared))
        for row in rows[~prepared.has_any()]:
            problems.add(Problem(int(row), "", NOTHING_PRESENT))
        yield prepared


def tell_unset(table: Table, names: Sequence[str]) -> Table:
    """Add a problem to the table if the model was fitted with settings that are not saved with it.

    Args:
        table: the table, read without these settings.
        names: names of the settings.
    """
    names = [name for name in names if name.startswith("table.")]
    if not names:
        return table
    listed = ", ".join(names)
    reason = f"the model was fitted with {listed}, which is not saved with models: the table is read without it"
    cure = f"set {'it' if len(names) == 1 else 'them'} again if you trust it: --set {names[0]}=…, or load(…, config=…)"
    return replace(table, problems=(*table.problems, Problem(None, "", reason, cure)))


def _chunks(rows: int) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, rows, CHUNK):
        yield np.arange(start, min(start + CHUNK, rows))
