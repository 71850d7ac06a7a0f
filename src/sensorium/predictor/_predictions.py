"""Hold the predictions for the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.errors.printable import one_line, printable
from sensorium.findings import Problems, count, shorten

SHOWN = 5  # first rows, and most common labels


@dataclass(frozen=True, repr=False)
class Predictions:
    """Predictions for n rows of a table, with the problems of the rows.

    Attributes:
        values: [n] labels as spelled in the training table, or numbers; with several targets, one dict per row.
        scores: float64; class probabilities [n, k] in the order of `labels`, or numbers [n].
        labels: the k classes or labels; empty for regression.
        present: column of the model → bool[n], whether the row has a value there.
        problems: problems of cells, rows and columns.

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
    _columns: Mapping[str, Any] = field(repr=False)  # of the table of answers
    _lacking: tuple[str, ...] = field(repr=False)  # what is wrong with every row

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return (
            f"<sensorium.Predictions of {count(len(self), 'row')}: {_summary(self.values.tolist(), bool(self.labels))}>"
        )

    def __str__(self) -> str:
        """Show the number of rows, the predicted labels or the range of values, the first rows, and problems."""
        faulty = len({problem.row for problem in self.problems if problem.row is not None})
        share = f"{count(faulty, 'row')} ({faulty / len(self):.0%})" if faulty else "no row"
        lines = [
            f"{count(len(self), 'row')}; {share} with a problem",
            f"predicted: {_summary(self.values.tolist(), bool(self.labels))}",
        ]
        lines += [f"row {row}: {self._shown(row)}" for row in range(min(SHOWN, len(self)))]
        lines += [f"… and {count(len(self) - SHOWN, 'more row')}"] if len(self) > SHOWN else []
        groups = self.problems.groups()
        lines += [f"! {group}" for group in groups[:SHOWN]]
        lines += [f"! and {count(len(groups) - SHOWN, 'more kind')} of problem"] if len(groups) > SHOWN else []
        return printable("\n".join(lines))

    def _shown(self, row: int) -> str:
        value = self.values[row]
        if self.scores.ndim != 2 or value not in self.labels:
            return _spelt(value)
        return f"{_spelt(value)} (probability {self.scores[row, self.labels.index(value)]:.3f})"

    def to_arrow(self) -> pa.Table:
        """Return a table with `row`, `prediction`, `probability_<label>` …, and `problem` (null if there is none).

        With several targets, each has its own columns: `<target>.prediction`, `<target>.probability_<label>` … For
            windows of a long table, additional columns have the entity and the time of the last step.

        Example:
            >>> table = model.predictions("new_films.csv").to_arrow()
            >>> table.num_rows, table.column_names[:2]
            (5, ['row', 'prediction'])
        """
        reasons = [[*self._lacking] for _ in range(len(self))]
        for problem in self.problems:
            if problem.row is not None:
                said = f"{problem.column}: {problem.reason}" if problem.column else problem.reason
                reasons[problem.row].append(said)
        texts = pa.array(["; ".join(row) or None for row in reasons], pa.string())
        return pa.table({**self._columns, "problem": texts})


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
