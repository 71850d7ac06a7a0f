"""The types that a batch is made of; axes are named once, here.

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
    """One column of a batch, as its encoder takes it.

    Attributes:
        values: [b, ...]; zeros where a cell is missing.
        present: which cells hold a value.
        mask: for cells of unequal length, which of their steps are real; None where all cells have one shape.
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
        """Replace the cells of all other rows by a single step of zeros that counts as present.

        An encoder can then take every row: none of them is empty.
        """
        values = torch.where(keep.reshape(-1, *[1] * (self.values.dim() - 1)), self.values, 0)
        if self.mask is None:
            return Cells(values, self.present | ~keep)
        first = torch.arange(self.mask.shape[1], device=keep.device) < 1  # (t,)
        return Cells(values, self.present | ~keep, torch.where(keep[:, None], self.mask, first))


@dataclass(frozen=True)
class Batch:
    """Some rows of a prepared table.

    Attributes:
        cells: column → its cells.
        rows: their places among the prepared ones.
        target: as the task encodes it; None where the label isn't known.
    """

    cells: Mapping[str, Cells]
    rows: Int64[Tensor, " b"]
    target: Shaped[Tensor, "b ..."] | None = None

    @property
    def present(self) -> Bool[Tensor, "b c"]:
        """Which columns each row has, in the order of `cells`."""
        return torch.stack([cells.present for cells in self.cells.values()], 1)

    def take(self, rows: Int64[Tensor, " k"]) -> Batch:
        target = None if self.target is None else self.target[rows]
        return Batch({name: cells.take(rows) for name, cells in self.cells.items()}, self.rows[rows], target)


@dataclass(frozen=True)
class Tokens:
    """What an encoder makes of a modality: a row's words, patches or frames; a plain vector is t = 1.

    Attributes:
        values: the tokens.
        mask: which tokens are real; a row without any is a row without this modality.
        summary: the encoder's own vector for the whole (last states, flattened map); None: the mean of the real tokens.
    """

    values: Float[Tensor, "b t d"]
    mask: Bool[Tensor, "b t"]
    summary: Float[Tensor, "b s"] | None = None

    @classmethod
    def of_vector(cls, vector: Float[Tensor, "b d"]) -> Tokens:
        return cls(vector[:, None], torch.ones(vector.shape[0], 1, dtype=torch.bool, device=vector.device))

    def pooled(self) -> Float[Tensor, "b s"]:
        """One vector a row; zeros where a row has no token."""
        if self.summary is not None:
            return self.summary
        weights = self.mask[..., None].to(self.values.dtype)  # (b, t, 1)
        return (self.values * weights).sum(1) / weights.sum(1).clamp_min(1)

    def float(self) -> Tokens:
        """In float32, whatever they were computed in."""
        return Tokens(self.values.float(), self.mask, None if self.summary is None else self.summary.float())

    def only(self, keep: Bool[Tensor, " b"]) -> Tokens:
        """Keep the tokens of some rows; the others have none, and zeros for values."""
        summary = None if self.summary is None else torch.where(keep[:, None], self.summary, 0)
        return Tokens(torch.where(keep[:, None, None], self.values, 0), self.mask & keep[:, None], summary)

    def scatter(self, rows: Int64[Tensor, " k"], count: int) -> Tokens:
        """Tokens of k rows → tokens of `count` rows; the others have none."""

        def spread(part: Tensor) -> Tensor:
            return part.new_zeros(count, *part.shape[1:]).index_copy(0, rows, part)

        summary = None if self.summary is None else spread(self.summary)
        return Tokens(spread(self.values), spread(self.mask), summary)
