"""Hold the predictions for the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.config import FLAG, PATH, check_arguments
from sensorium.conformal import Regions
from sensorium.errors.printable import one_line, printable
from sensorium.findings import Problems, count, shorten
from sensorium.table import TEXTS, write_csv, write_table

SHOWN = 5  # first rows, and most common labels


@dataclass(frozen=True, repr=False)
class Predictions:
    """Predictions for n rows of a table, or for n units that the rows are aggregated to, with the problems of the rows.

    Attributes:
        values: [n] labels as spelled in the training table, or numbers; with several targets, one dict per row.
        scores: float64; class probabilities [n, k] in the order of `labels`, or numbers [n].
        labels: the k classes or labels; empty for regression.
        present: column of the model → bool[n], whether the row has a value there.
        problems: problems of cells, rows and columns.
        coverage: probability with which each prediction set or interval contains the truth; None without them.

    Example:
        >>> import sensorium
        >>> table = {"size": [1.0, 2.0, 3.0, 4.0] * 10, "kind": ["a", "a", "b", "b"] * 10}
        >>> model = sensorium.fit(table, "kind", epochs=1, progress=False)
        >>> predictions = model.predictions({"size": [1.5, None]})
        >>> predictions.present["size"].tolist()
        [True, False]
        >>> predictions.to_arrow().column_names
        ['row', 'prediction', 'probability_a', 'probability_b', 'problem']
        >>> str(predictions).splitlines()[0]
        '2 rows; 1 row (50%) with a problem'
    """

    values: npt.NDArray[Any]
    scores: npt.NDArray[np.float64]
    labels: tuple[Any, ...]
    present: Mapping[str, npt.NDArray[np.bool_]]
    problems: Problems
    _columns: Mapping[str, Any] = field(repr=False)  # of the table of answers, without the problems
    _spelling: Mapping[str, Any] = field(repr=False)  # columns of numbers → cells as a text file writes them
    _kept: Collection[str] = field(default=(), repr=False)  # columns that were copied from the table
    _units: npt.NDArray[np.int64] | None = field(default=None, repr=False)  # unit of each row of the table
    coverage: float | None = None
    _regions: Mapping[str, Regions] = field(default_factory=dict, repr=False)  # of each target

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        number = count(len(self), self._noun)
        return f"<sensorium.Predictions of {number}: {_summary(self.values.tolist(), bool(self.labels))}>"

    @property
    def _noun(self) -> str:
        return "row" if self._units is None else "unit"

    def _place(self, row: int) -> int:
        """Return the index of the prediction of a row of the table."""
        return row if self._units is None else int(self._units[row])

    def __str__(self) -> str:
        """Show the number of rows, the predicted labels or the range of values, the first rows, and problems."""
        faulty = len({self._place(problem.row) for problem in self.problems if problem.row is not None})
        share = f"{count(faulty, self._noun)} ({faulty / len(self):.0%})" if faulty else f"no {self._noun}"
        lines = [
            f"{count(len(self), self._noun)}; {share} with a problem",
            f"predicted: {_summary(self.values.tolist(), bool(self.labels))}",
        ]
        lines += [f"{self._noun} {row}: {self._shown(row)}" for row in range(min(SHOWN, len(self)))]
        lines += [f"… and {count(len(self) - SHOWN, f'more {self._noun}')}"] if len(self) > SHOWN else []
        groups = self.problems.groups()
        lines += [f"! {group}" for group in groups[:SHOWN]]
        lines += [f"! and {count(len(groups) - SHOWN, 'more kind')} of problem"] if len(groups) > SHOWN else []
        return printable("\n".join(lines))

    def _shown(self, row: int) -> str:
        value = self.values[row]
        if self.scores.ndim != 2 or value not in self.labels:
            return _spelt(value)
        return f"{_spelt(value)} (probability {self.scores[row, self.labels.index(value)]:.3f})"

    @property
    def sets(self) -> npt.NDArray[np.bool_] | dict[str, npt.NDArray[np.bool_]] | None:
        """Prediction sets bool[n, k], in the order of `labels`; None without a coverage, and for an amount.

        With several targets, a dict with the sets of each one that has classes or labels.

        Example:
            >>> model.predictions("new_films.csv", coverage=0.8).sets.shape
            (5, 3)
        """
        return self._of_each({name: own.sets for name, own in self._regions.items() if own.sets is not None})

    @property
    def intervals(self) -> npt.NDArray[np.float64] | dict[str, npt.NDArray[np.float64]] | None:
        """Prediction intervals float64[n, 2], lower and upper bounds; None without a coverage, and for classes.

        With several targets, a dict with the intervals of each amount.

        Example:
            >>> model.predictions("new_films.csv", coverage=0.8).intervals is None  # the target has classes
            True
        """
        own = {name: own.intervals for name, own in self._regions.items() if own.intervals is not None}
        return self._of_each(own)

    def _of_each(self, arrays: dict[str, npt.NDArray[Any]]) -> Any:
        return arrays.get("") if self.coverage is None or "" in self._regions else arrays

    def to_arrow(self) -> pa.Table:
        """Return a table with `row`, `prediction`, `probability_<label>` …, and `problem` (null if there is none).

        `row` is the row of the table, counted from 0; columns of `keep` follow it. `problem` has the problems of the
        row and its cells; those of whole columns are in `problems` only. With several targets, each has its own
        columns: `<target>.prediction`, `<target>.probability_<label>` … For windows of a long table, additional
        columns have the entity and the time of the last step. With a coverage, `prediction_set` has a list of classes
        or labels, or `lower` and `upper` the bounds of an interval. Of units, the table has `rows`, the number of their
        rows, and the column that names them, instead of `row`.

        Example:
            >>> table = model.predictions("new_films.csv", keep="studio").to_arrow()
            >>> table.num_rows, table.column_names[:3]
            (5, ['row', 'studio', 'prediction'])
        """
        return self._table({})

    def save(self, path: str | Path, *, safe_csv: bool = False) -> Problems:
        """Write the table of `to_arrow` to a file, in the format of its suffix.

        An existing file is replaced when the new one is complete.

        Args:
            path: .parquet, .csv, .tsv, .jsonl, .arrow, .feather or .xlsx. In CSV and TSV, columns of `keep` are spelled
                as in the table that they are from.
            safe_csv: put an apostrophe before text in CSV and TSV that a spreadsheet would run as a formula.

        Returns: Problems of the file: text that a spreadsheet may run as a formula, and text of predictions and
            problems that is cut because a cell of an .xlsx file cannot hold it.

        Raises:
            TableError: the suffix is unknown, or the file cannot be written; a sheet of an .xlsx file cannot hold the
                rows, the columns or a cell of a column of `keep`. `predictions(out=)` checks this before it predicts.

        Example:
            >>> predictions = model.predictions("new_films.csv", keep=["plot", "length"])
            >>> len(predictions.save("predictions.parquet"))
            0
        """
        check_arguments(PATH, path=path)
        check_arguments(FLAG, safe_csv=safe_csv)
        path = Path(path)
        spelling = self._spelling if path.suffix.lower() in TEXTS else {}
        table = self._table(spelling)
        cut = {*table.column_names} - {*self._kept}
        return Problems(write_table(table, path, safe_csv=safe_csv, numbers=spelling, cut=cut))

    def write_csv(self, stream: BinaryIO, *, safe_csv: bool = False) -> Problems:
        """Write the CSV of `save` to an open binary file, such as `sys.stdout.buffer`.

        Args:
            stream: the open file.
            safe_csv: as for `save`.

        Returns: Problems as `save` returns them.

        Example:
            >>> import io
            >>> stream = io.BytesIO()
            >>> problems = model.predictions("new_films.csv").write_csv(stream)
            >>> stream.getvalue()[:18]
            b'"row","prediction"'
        """
        check_arguments(FLAG, safe_csv=safe_csv)
        return Problems(write_csv(self._table(self._spelling), stream, safe_csv=safe_csv, numbers=self._spelling))

    def _table(self, spelling: Mapping[str, Any]) -> pa.Table:
        return pa.table({**self._columns, **spelling, "problem": self._reasons()})

    def _reasons(self) -> pa.Array:
        """Return the problems of each row as text, null for rows without one."""
        reasons: dict[int, list[str]] = {}
        for problem in self.problems:
            if problem.row is not None:
                said = f"{problem.column}: {problem.reason}" if problem.column else problem.reason
                said = said if self._units is None else f"row {problem.row}: {said}"
                reasons.setdefault(self._place(problem.row), []).append(said)
        return pa.array(["; ".join(reasons[row]) if row in reasons else None for row in range(len(self))], pa.string())


def _summary(values: Sequence[Any], labelled: bool) -> str:
    """Return the range of numbers, or the most common labels with their counts; for each of several targets."""
    if not values:
        return "nothing"
    if isinstance(values[0], Mapping):
        return "; ".join(f"{name}: {_summary([row[name] for row in values], False)}" for name in values[0])
    if not labelled and isinstance(values[0], float):
        low, middle, high = np.min(values), np.median(values), np.max(values)
        return f"{low:.4g} to {high:.4g}, median {middle:.4g}"
    counts = Counter(map(_spelt, values)).most_common()
    more = f" and {count(len(counts) - SHOWN, 'other')}" if len(counts) > SHOWN else ""
    return ", ".join(f"{label} ({number:,})" for label, number in counts[:SHOWN]) + more


def _spelt(value: Any) -> str:
    """Spell a prediction: a number, a label, several labels, or one value per target."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_spelt(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return " + ".join(map(_spelt, value)) or "no label"
    return f"{value:.4g}" if isinstance(value, float) else one_line(shorten(value))
