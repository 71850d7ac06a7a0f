"""Cells of many columns in one tensor, so that no work is done column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int64, Shaped
from torch import Tensor

from sensorium.batch._cells import Cells
from sensorium.batch._layout import Layout


@dataclass(frozen=True)
class PackedCells:
    """Cells of several columns of a batch, side by side.

    Attributes:
        values: [b, f] numbers, of which a column has one or more, or [b, c] codes; zeros where a cell is missing.
        present: whether each cell has a value.
        layout: the columns, and the positions of their values.
    """

    values: Shaped[Tensor, "b f"]
    present: Bool[Tensor, "b c"]
    layout: Layout

    @classmethod
    def join(cls, cells: Mapping[str, Cells], rows: Shaped[Tensor, " b"]) -> PackedCells:
        """Join columns of the same dtype; without a column there are no values for the given rows."""
        layout = Layout(tuple(cells), [tuple(c.values.shape[1:]) for c in cells.values()])
        if not cells:
            nothing = torch.zeros(rows.shape[0], 0, device=rows.device)
            return cls(nothing, nothing.bool(), layout)
        values = [c.values if c.values.dim() > 1 else c.values[:, None] for c in cells.values()]
        return cls(torch.cat(values, 1), torch.stack([c.present for c in cells.values()], 1), layout)

    def cells(self, name: str) -> Cells:
        """Return the cells of one column; they share the memory of all."""
        place = self.layout.index[name]
        values = self.values[:, self.layout.starts[place] : self.layout.starts[place + 1]]
        return Cells(values if self.layout.shapes[place] else values[:, 0], self.present[:, place])

    def select(self, columns: tuple[str, ...]) -> PackedCells:
        """Return those of the columns that are here, in the given order."""
        chosen = self.layout.select(columns)
        if chosen.columns is None or chosen.values is None:
            return self
        values = self.values.index_select(1, chosen.values.to(self.values.device))
        return PackedCells(values, self.among(columns), chosen.layout)

    def among(self, columns: tuple[str, ...]) -> Bool[Tensor, "b k"]:
        """Return the presence of those of the columns that are here."""
        chosen = self.layout.select(columns).columns
        return self.present if chosen is None else self.present.index_select(1, chosen.to(self.present.device))

    def update(self, part: PackedCells) -> PackedCells:
        """Replace the cells of the columns of another one, which all are here."""
        chosen = self.layout.select(part.layout.columns)
        if chosen.columns is None or chosen.values is None:
            return part
        values = self.values.index_copy(1, chosen.values.to(self.values.device), part.values)
        present = self.present.index_copy(1, chosen.columns.to(self.present.device), part.present)
        return PackedCells(values, present, self.layout)

    def take(self, rows: Int64[Tensor, " k"]) -> PackedCells:
        return PackedCells(self.values[rows], self.present[rows], self.layout)

    def to(self, device: torch.device) -> PackedCells:
        return PackedCells(self.values.to(device), self.present.to(device), self.layout)

    def fill(self, keep: Bool[Tensor, " b"]) -> PackedCells:
        """Replace the cells of rows outside of `keep` by zeros that count as present, as `Cells.fill` does."""
        return replace(self, values=torch.where(keep[:, None], self.values, 0), present=self.present | ~keep[:, None])


class CellMap(Mapping[str, Cells]):
    """Cells of a batch by column, of which many columns are packed; their cells are views, made when asked for.

    Args:
        columns: all columns, in their order.
        packed: packed columns; a column is in one of them at most.
        others: cells of the other columns.
    """

    def __init__(self, columns: Sequence[str], packed: Sequence[PackedCells], others: Mapping[str, Cells]) -> None:
        self._columns, self.packed, self.others = columns, packed, others

    def __getitem__(self, name: str) -> Cells:
        for packed in self.packed:
            if name in packed.layout.index:
                return packed.cells(name)
        return self.others[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def is_packed(self, column: str) -> bool:
        return column not in self.others

    def find(self, columns: tuple[str, ...]) -> PackedCells | None:
        """Return some columns if all of them are packed together."""
        for packed in self.packed:
            if columns and columns[0] in packed.layout.index:
                found = packed.layout.select(columns).layout
                return packed.select(columns) if len(found.columns) == len(columns) else None
        return None

    def has_any(self, columns: tuple[str, ...] | None) -> Bool[Tensor, " b"]:
        """Return the rows that have a value in one of some columns, of all columns by default."""
        if columns is None:
            return torch.stack(
                [*(p.present.any(1) for p in self.packed), *(c.present for c in self.others.values())]
            ).any(0)
        found = [packed.among(columns) for packed in self.packed]
        if sum(part.shape[1] for part in found) < len(columns):
            found += [self.others[name].present[:, None] for name in columns if name in self.others]
        return torch.cat(found, 1).any(1)

    def with_cells(self, changed: Mapping[str, Cells]) -> CellMap:
        """Replace the cells of some columns."""

        def join(packed: PackedCells) -> PackedCells:
            return PackedCells.join({name: changed[name] for name in packed.layout.columns}, packed.present)

        others = {name: changed.get(name, cells) for name, cells in self.others.items()}
        return CellMap(self._columns, self.change(tuple(changed), join).packed, others)

    def change(self, columns: tuple[str, ...], function: Callable[[PackedCells], PackedCells]) -> CellMap:
        """Apply a function to those of the columns that are packed."""
        packed = list(self.packed)
        for place, whole in enumerate(packed):
            part = whole.select(columns)
            packed[place] = whole.update(function(part)) if part.layout.columns else whole
        return CellMap(self._columns, packed, self.others)

    def take(self, rows: Int64[Tensor, " k"]) -> CellMap:
        others = {name: cells.take(rows) for name, cells in self.others.items()}
        return CellMap(self._columns, [packed.take(rows) for packed in self.packed], others)
