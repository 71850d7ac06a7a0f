"""Positions of columns in a tensor that holds several of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from jaxtyping import Int64
from torch import Tensor


@dataclass(frozen=True)
class Selection:
    """Some of the columns of a layout.

    Attributes:
        layout: their layout, side by side.
        columns: positions of the columns in the whole layout; None if these are all columns, in order.
        values: positions of their values.
    """

    layout: Layout
    columns: Int64[Tensor, " c"] | None
    values: Int64[Tensor, " f"] | None


class Layout:
    """Columns side by side in one tensor. All batches of a table share it.

    Args:
        columns: names.
        shapes: shape of a cell of each column: `(f,)` for f numbers, `()` for a code.
    """

    def __init__(self, columns: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> None:
        self.columns, self.shapes = tuple(columns), tuple(shapes)
        self.starts = [0, *accumulate(math.prod(shape) for shape in self.shapes)]
        self.index = {name: place for place, name in enumerate(self.columns)}
        self._selections: dict[tuple[str, ...], Selection] = {}

    @cached_property
    def owner(self) -> Int64[Tensor, " f"]:
        """Return the position of the column that each value belongs to."""
        sizes = torch.tensor(self.starts).diff()
        return torch.arange(len(self.columns)).repeat_interleave(sizes)

    def select(self, columns: tuple[str, ...]) -> Selection:
        """Return those of the columns that are in this layout, in the given order."""
        if columns not in self._selections:
            self._selections[columns] = self._select(columns)
        return self._selections[columns]

    def _select(self, columns: tuple[str, ...]) -> Selection:
        if columns == self.columns:
            return Selection(self, None, None)
        places = [self.index[name] for name in columns if name in self.index]
        values = [value for place in places for value in range(self.starts[place], self.starts[place + 1])]
        layout = Layout([self.columns[place] for place in places], [self.shapes[place] for place in places])
        return Selection(layout, torch.tensor(places, dtype=torch.int64), torch.tensor(values, dtype=torch.int64))
