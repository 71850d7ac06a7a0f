"""Predict the rows of a table with a fitted model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.findings import Problem
from sensorium.model import FittedModel
from sensorium.predictor._predictions import Predictions
from sensorium.predictor._regions import Wanted, region_columns, region_problems
from sensorium.predictor._scores import score_rows
from sensorium.predictor._tables import open_rows
from sensorium.runtime.progress import Reporter
from sensorium.table import Floats, Table, check_fits

CURE = "leave the column out of --keep (Python: keep=), or write another format, such as .csv or .parquet"


def predict_rows(
    fitted: FittedModel,
    table: Any,
    report: Reporter,
    *,
    keep: str | Sequence[str] = (),
    out: Path | None = None,
    wanted: Wanted | None = None,
) -> Predictions:
    """Return labels or numbers, with their scores, columns of the table, and the problems of each row.

    Args:
        fitted: the model.
        table: as for `open_rows`.
        report: logs progress.
        keep: columns of the table to copy.
        out: the file to which the predictions will be saved; what it cannot hold is an error before predicting.
        wanted: coverage of prediction sets and intervals; None for none.
    """
    opened = open_rows(fitted, table, report, keep=keep, empty=True)
    copied = {name: _identifier(opened, name) for name in _identifiers(fitted)} | dict(opened.kept_columns.cells)
    columns = _answers(fitted, fitted.prior_scores(0))
    if wanted:
        columns = {**columns, **region_columns(fitted, wanted.of_no_rows(fitted))}
    names = _free_names(copied, {"row", "problem", *columns})
    if out is not None:
        known = pa.table({names[name]: cells for name, cells in copied.items()} | {"row": np.arange(len(opened))})
        check_fits(known, out, names=["row", *names.values(), *columns, "problem"], cure=CURE)
    scores, present, problems = score_rows(fitted, opened, report)
    answers = dict(_answers(fitted, scores))
    regions = wanted.regions(fitted, scores, fitted.presence(present)) if wanted else {}
    answers |= region_columns(fitted, regions)
    problems.extend(region_problems(fitted, regions, wanted.coverage) if wanted else [])
    problems.extend(
        [
            Problem(
                None, name, f"the predictions have a column {name!r}: the column of the table is copied as {other!r}"
            )
            for name, other in names.items()
            if name in opened.kept_columns.cells and name != other
        ]
    )
    return Predictions(
        values=decode_scores(fitted, scores),
        scores=scores,
        labels=tuple(fitted.task.labels),
        present=present,
        problems=problems,
        coverage=wanted.coverage if wanted else None,
        _regions=regions,
        _columns={"row": np.arange(len(opened)), **{names[name]: cells for name, cells in copied.items()}, **answers},
        _spelling={names[name]: cells for name, cells in opened.kept_columns.spelling.items()},
        _kept=[*names.values()],
    )


def decode_scores(fitted: FittedModel, scores: Floats) -> npt.NDArray[Any]:
    """Return the predicted labels or numbers; lists of labels as an array of objects."""
    if not len(scores):  # of the type that a row would have
        return decode_scores(fitted, fitted.prior_scores(1))[:0]
    answers = list(fitted.task.decode(fitted.task.predicted(scores)))
    if answers and isinstance(answers[0], list):
        labels = np.empty(len(answers), dtype=object)
        labels[:] = answers
        return labels
    return np.array(answers)


def _answers(fitted: FittedModel, scores: Floats) -> Mapping[str, Any]:
    """Return the columns of predictions; those of no rows have the types that a row would have."""
    if len(scores):
        return fitted.task.answers(scores)
    table = pa.table(fitted.task.answers(fitted.prior_scores(1))).slice(0, 0)
    return dict(zip(table.column_names, table.columns, strict=True))


def _identifiers(fitted: FittedModel) -> list[str]:
    """Return the columns that say which window of a long table a row is."""
    windows = fitted.config.table.windows
    return [name for name in (windows.entity, windows.time) if name is not None] if windows else []


def _identifier(table: Table, name: str) -> pa.Array:
    return table.column(name).data if name in table else pa.nulls(len(table))


def _free_names(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Return name → the name of its copy: with `_` behind it if the predictions have a column of this name."""
    found = dict[str, str]()
    own, taken = {*names}, {*taken}
    for name in names:
        other = name
        while other in taken or (other != name and other in own):
            other += "_"
        found[name] = other
        taken.add(other)
    return found
