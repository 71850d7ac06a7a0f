"""Hold the predictions for the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sensorium.findings import Problems


@dataclass(frozen=True)
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
