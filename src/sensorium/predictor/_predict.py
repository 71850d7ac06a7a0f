"""Predict the rows of a table with a fitted model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.evaluate import Units
from sensorium.findings import Problem
from sensorium.model import FittedModel
from sensorium.predictor._predictions import Predictions
from sensorium.predictor._regions import CoverageRequest, region_columns, region_problems
from sensorium.predictor._scores import score_rows
from sensorium.predictor._tables import open_rows
from sensorium.predictor._units import cells_of_units, named_columns, units_of
from sensorium.runtime.progress import Reporter
from sensorium.table import EVERY, Floats, Rows, Table, check_fits

CURE = "leave the column out of --keep (Python: keep=), or write another format, such as .csv or .parquet"


@dataclass(frozen=True)
class PredictionRequest:
    """What to return beside predictions, and of what.

    Attributes:
        keep: columns of the table to copy.
        out: the file to which the predictions will be saved; what it cannot hold is an error before predicting.
        by: column whose values name the units that get one prediction each; None to predict rows.
        coverage: coverage of prediction sets and intervals; None for none.
    """

    keep: str | Sequence[str] = ()
    out: Path | None = None
    by: str | None = None
    coverage: CoverageRequest | None = None

    @property
    def columns(self) -> str | list[str]:
        """Columns of the table that are read beside those of the model."""
        if self.keep == EVERY:
            return EVERY
        names = [self.keep] if isinstance(self.keep, str) else self.keep
        return [*dict.fromkeys([*names, *([self.by] if self.by else [])])]


def predict_rows(fitted: FittedModel, table: Any, report: Reporter, request: PredictionRequest) -> Predictions:
    """Return labels or numbers, with their scores, columns of the table, and the problems of each row.

    Args:
        fitted: the model.
        table: as for `open_rows`.
        report: logs progress.
        request: columns of the table to copy, the column that names units, and a coverage.
    """
    opened = open_rows(fitted, table, report, keep=request.columns, empty=True)
    rows = _Rows.of(fitted, opened, request)
    columns = _answers(fitted, fitted.prior_scores(0))
    wanted = request.coverage
    if wanted:
        columns = {**columns, **region_columns(fitted, wanted.of_no_rows(fitted))}
    names = _free_names(rows.cells, {*rows.counted, "problem", *columns})
    if request.out is not None:
        known = pa.table({names[name]: cells for name, cells in rows.cells.items()} | dict(rows.counted))
        check_fits(known, request.out, names=[*rows.counted, *names.values(), *columns, "problem"], cure=CURE)
    scores, present, problems = score_rows(fitted, opened, report)
    if rows.units is not None:
        scores = rows.units.mean(scores, np.logical_or.reduce([*present.values()]))
        present = {name: rows.units.any(there) for name, there in present.items()}
    regions = wanted.regions(fitted, scores, fitted.presence(present)) if wanted else {}
    answers = {**_answers(fitted, scores), **region_columns(fitted, regions)}
    problems.extend(region_problems(fitted, regions, wanted.coverage) if wanted else [])
    problems.extend([*rows.problems, *_renamed(names, opened)])
    return Predictions(
        values=decode_scores(fitted, scores),
        scores=scores,
        labels=tuple(fitted.task.labels),
        present=present,
        problems=problems,
        coverage=wanted.coverage if wanted else None,
        _regions=regions,
        _columns={**rows.counted, **{names[name]: cells for name, cells in rows.cells.items()}, **answers},
        _spelling={names[name]: cells for name, cells in rows.spelling.items()},
        _kept=[*names.values()],
        _units=None if rows.units is None else rows.units.of_rows,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows or units to predict.

    Attributes:
        units: units of the rows; None to predict rows.
        counted: the column `row`, which numbers the rows; of units `rows`, the number of their rows.
        cells: columns to copy.
        spelling: their cells as a text file writes them.
        problems: of the units.
    """

    units: Units | None
    counted: Mapping[str, Rows]
    cells: Mapping[str, Any]
    spelling: Mapping[str, Any]
    problems: Sequence[Problem]

    @classmethod
    def of(cls, fitted: FittedModel, opened: Table, request: PredictionRequest) -> _Rows:
        kept = opened.kept_columns
        copied = {name: _identifier(opened, name) for name in _identifiers(fitted)} | dict(kept.cells)
        if request.by is None:
            return cls(None, {"row": np.arange(len(opened))}, copied, kept.spelling, [])
        units = units_of(named_columns(opened, [request.by]), request.by, fitted)
        cells, problems = cells_of_units({request.by: copied[request.by], **copied}, units)
        spelling, _ = cells_of_units(kept.spelling, units)
        return cls(units, {"rows": units.sizes}, cells, spelling, [*units.problems(), *problems])


def _renamed(names: Mapping[str, str], opened: Table) -> list[Problem]:
    """Report columns of the table that are copied under another name."""
    return [
        Problem(None, name, f"the predictions have a column {name!r}: the column of the table is copied as {other!r}")
        for name, other in names.items()
        if name in opened.kept_columns.cells and name != other
    ]


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
