"""Rows to predict, as the members of a fitted model read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensorium.prepare import Prepared
from sensorium.prepare.summaries import Summaries, summarize
from sensorium.table import Rows


@dataclass(frozen=True, eq=False)
class Inputs:
    """Rows to predict: their prepared cells, which networks read, and summaries of them, which estimators share.

    Attributes:
        prepared: prepared columns.
        rows: int64[n], positions of the rows in them.
        summaries: summaries of these rows, of the columns that estimators read.
    """

    prepared: Prepared
    rows: Rows
    summaries: Summaries

    @classmethod
    def of(cls, prepared: Prepared, rows: Rows, summarized: Iterable[str]) -> Inputs:
        """Return rows to predict, with summaries of the columns that some estimator reads."""
        names = {*summarized}
        read = prepared.only([name for name in prepared.columns if name in names])
        return cls(prepared, rows, summarize(read, rows))

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, names: Iterable[str]) -> Inputs:
        """Return some of the columns."""
        names = list(names)
        summaries = self.summaries.only([name for name in names if name in self.summaries.columns])
        return Inputs(self.prepared.only(names), self.rows, summaries)

    def at(self, places: npt.NDArray[np.bool_]) -> Inputs:
        """Return some of the rows."""
        if places.all():
            return self
        return Inputs(self.prepared, self.rows[places], self.summaries.take(np.flatnonzero(places)))

    def has_any(self) -> npt.NDArray[np.bool_]:
        """Return bool[n]: whether the row has a value in at least one column, of streamed cells as far as is known."""
        return self.prepared.has_any()[self.rows]
