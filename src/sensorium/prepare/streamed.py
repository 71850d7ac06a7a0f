"""Columns of files that are decoded batch by batch and not stored."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sensorium.findings import Problem
from sensorium.modalities import Encoded, Modality, Work
from sensorium.table import Column


@dataclass(frozen=True)
class Streamed:
    """Streamed column, in place of the arrays of a prepared one.

    Args:
        modality: decodes the cells.
        column: the cells.
        workers: threads that decode in parallel.

    Attributes:
        present: bool[n]: whether the cell has a value and has not been found unreadable.
        problems: problems that were not yet returned by `take`; each cell is reported once.
    """

    modality: Modality
    column: Column
    workers: int = 1
    present: npt.NDArray[np.bool_] = field(init=False)
    problems: list[Problem] = field(init=False, default_factory=list)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        object.__setattr__(self, "present", self.column.present.copy())

    def encode(self, rows: npt.NDArray[np.int64]) -> Encoded:
        """Decode some rows to arrays; unreadable cells are missing from now on."""
        there = pa.array(self.present[rows])
        cells = self.column.take(rows)
        known = replace(cells, data=pc.if_else(there, cells.data, pa.scalar(None, cells.data.type)))
        encoded = self.modality.encode(known, Work(self.workers))
        with self._lock:
            self.present[rows] = encoded.present
            self.problems.extend(problem.at(rows) for problem in encoded.problems)
        return encoded

    def state(self) -> dict[str, Any]:
        """Return the state: presence as an array, problems as JSON values."""
        with self._lock:
            return {"present": self.present.copy(), "problems": [asdict(problem) for problem in self.problems]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the state returned by `state`."""
        with self._lock:
            self.present[:] = state["present"]
            self.problems[:] = [Problem(**problem) for problem in state["problems"]]

    def take_problems(self) -> list[Problem]:
        """Return the problems found since the last call, by row."""
        with self._lock:
            found = sorted(self.problems, key=Problem.place)
            self.problems.clear()
        return found
