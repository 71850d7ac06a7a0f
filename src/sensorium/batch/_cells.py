"""Cells of one column of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Cells:
    """Cells of one column of a batch, the input of its encoder.

    Attributes:
        values: [b, ...]; zeros where a cell is missing.
        present: whether each cell has a value.
        mask: for cells of unequal length, which of their steps are not padding; None if all cells have the same shape.
    """

    values: Shaped[Tensor, "b ..."]
    present: Bool[Tensor, " b"]
    mask: Bool[Tensor, "b t"] | None = None

    def take(self, rows: Int64[Tensor, " k"]) -> Cells:
        mask = None if self.mask is None else self.mask[rows]
        return Cells(self.values[rows], self.present[rows], mask)

    def to(self, device: torch.device) -> Cells:
        mask = None if self.mask is None else self.mask.to(device)
        return Cells(self.values.to(device), self.present.to(device), mask)

    def fill(self, keep: Bool[Tensor, " b"]) -> Cells:
        """Replace the cells of rows outside of `keep` by a single step of zeros that counts as present.

        An encoder can then take every row: none of them is empty.
        """
        values = torch.where(keep.reshape(-1, *[1] * (self.values.dim() - 1)), self.values, 0)
        if self.mask is None:
            return Cells(values, self.present | ~keep)
        first = torch.arange(self.mask.shape[1], device=keep.device) < 1  # (t,)
        return Cells(values, self.present | ~keep, torch.where(keep[:, None], self.mask, first))
