"""Rows of a prepared table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int64, Shaped
from torch import Tensor

from sensorium.batch._cells import Cells
from sensorium.batch._packed import CellMap, PackedCells


@dataclass(frozen=True)
class Batch:
    """Rows of a prepared table.

    Attributes:
        cells: column → its cells. In a `CellMap`, many columns share a tensor.
        rows: their positions in the prepared table.
        target: labels as the task encodes them; None if they are not known.
    """

    cells: Mapping[str, Cells]
    rows: Int64[Tensor, " b"]
    target: Shaped[Tensor, "b ..."] | None = None

    @property
    def present(self) -> Bool[Tensor, "b c"]:
        """Return bool (b, columns): which columns have a value, in the order of `cells`; for techniques."""
        return torch.stack([cells.present for cells in self.cells.values()], 1)

    def has_any(self, columns: tuple[str, ...] | None = None) -> Bool[Tensor, " b"]:
        """Return the rows that have a value in one of some columns, of all columns by default."""
        if isinstance(self.cells, CellMap):
            return self.cells.has_any(columns)
        return torch.stack([self.cells[name].present for name in columns or self.cells]).any(0)

    def pack(self, columns: tuple[str, ...]) -> PackedCells:
        """Return columns side by side in one tensor; all of them hold numbers (b, f) or all of them codes (b)."""
        found = self.cells.find(columns) if isinstance(self.cells, CellMap) else None
        return found or PackedCells.join({name: self.cells[name] for name in columns}, self.rows)

    def with_cells(self, changed: Mapping[str, Cells]) -> Batch:
        """Replace the cells of some columns."""
        if isinstance(self.cells, CellMap):
            return replace(self, cells=self.cells.with_cells(changed))
        return replace(self, cells={**self.cells, **changed})

    def take(self, rows: Int64[Tensor, " k"]) -> Batch:
        target = None if self.target is None else self.target[rows]
        if isinstance(self.cells, CellMap):
            return Batch(self.cells.take(rows), self.rows[rows], target)
        return Batch({name: cells.take(rows) for name, cells in self.cells.items()}, self.rows[rows], target)
