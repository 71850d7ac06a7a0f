"""Types of a batch, and the names of its axes.

b  rows of a batch          m  modalities (towers) of the model
t  tokens of one cell       d  width of a token
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, Shaped
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


@dataclass(frozen=True)
class Batch:
    """Rows of a prepared table.

    Attributes:
        cells: column → its cells.
        rows: their positions in the prepared table.
        target: labels as the task encodes them; None if they are not known.
    """

    cells: Mapping[str, Cells]
    rows: Int64[Tensor, " b"]
    target: Shaped[Tensor, "b ..."] | None = None

    @property
    def present(self) -> Bool[Tensor, "b c"]:
        """Return bool (b, columns): which columns have a value, in the order of `cells`."""
        return torch.stack([cells.present for cells in self.cells.values()], 1)

    def take(self, rows: Int64[Tensor, " k"]) -> Batch:
        target = None if self.target is None else self.target[rows]
        return Batch({name: cells.take(rows) for name, cells in self.cells.items()}, self.rows[rows], target)


@dataclass(frozen=True)
class Tokens:
    """Output of an encoder: the tokens of each row, such as words, patches or frames; a single vector has t = 1.

    Attributes:
        values: the tokens.
        mask: which tokens are not padding; a row without any token lacks this modality.
        summary: one vector per row by the encoder (last states, flattened map); None: the mean of the tokens.
    """

    values: Float[Tensor, "b t d"]
    mask: Bool[Tensor, "b t"]
    summary: Float[Tensor, "b s"] | None = None

    @classmethod
    def of_vector(cls, vector: Float[Tensor, "b d"]) -> Tokens:
        return cls(vector[:, None], torch.ones(vector.shape[0], 1, dtype=torch.bool, device=vector.device))

    def pooled(self) -> Float[Tensor, "b s"]:
        """Return one vector per row; zeros for rows without tokens."""
        if self.summary is not None:
            return self.summary
        weights = self.mask[..., None].to(self.values.dtype)  # (b, t, 1)
        return (self.values * weights).sum(1) / weights.sum(1).clamp_min(1)

    def float(self) -> Tokens:
        """Return the tokens in float32."""
        return Tokens(self.values.float(), self.mask, None if self.summary is None else self.summary.float())

    def only(self, keep: Bool[Tensor, " b"]) -> Tokens:
        """Keep the tokens of the given rows; other rows get zeros and no tokens."""
        summary = None if self.summary is None else torch.where(keep[:, None], self.summary, 0)
        return Tokens(torch.where(keep[:, None, None], self.values, 0), self.mask & keep[:, None], summary)

    def scatter(self, rows: Int64[Tensor, " k"], count: int) -> Tokens:
        """Spread the tokens of k rows over `count` rows; the other rows have none."""

        def spread(part: Tensor) -> Tensor:
            return part.new_zeros(count, *part.shape[1:]).index_copy(0, rows, part)

        summary = None if self.summary is None else spread(self.summary)
        return Tokens(spread(self.values), spread(self.mask), summary)
