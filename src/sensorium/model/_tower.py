"""Tower of a network: an encoder with a projection of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sensorium.batch import Batch, Cells, PackedCells, Tokens
from sensorium.encoders import Encoder


class Tower(nn.Module):
    """Encoder with a projection of its tokens to the width of the fusion."""

    def __init__(self, name: str, columns: Sequence[str], encoder: Encoder, project: nn.Module) -> None:
        super().__init__()
        self.name, self.columns = name, tuple(columns)
        self.encoder, self.project = encoder, project
        groups = getattr(encoder, "groups", None)  # of columns that it takes side by side
        self._groups = None if groups is None else [tuple(self.columns[place] for place in group) for group in groups]
        self.reads_features = False  # instead of cells: what the encoder's `features` gave, computed beforehand

    def present(self, batch: Batch) -> Bool[Tensor, " b"]:
        """Return the rows in which a column of the tower is present."""
        return batch.has_any(self.columns)

    def forward(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode the rows to keep; the others get no token."""
        cells = self.inputs(batch)
        if bool(keep.all()):
            return self._encode(cells, tokens)
        rows = keep.nonzero().squeeze(1)
        if not len(rows):
            return Tokens(self._nothing(keep), keep[:, None])
        return self._encode([c.take(rows) for c in cells], tokens).scatter(rows, len(keep))

    def forward_dense(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode every row and mask those not to keep: the tokens of `forward`, without control flow that depends on
        data. For evaluation only.
        """
        return self._encode([cells.fill(keep) for cells in self.inputs(batch)], tokens, dense=True).only(keep)

    def summarize(self, batch: Batch) -> tuple[Float[Tensor, "k s"], Int64[Tensor, " k"]]:
        """Return the encoder's summary of each row that has the modality, and the places of these rows."""
        rows = self.present(batch).nonzero().squeeze(1)
        if not len(rows):
            return torch.zeros(0, self.encoder.width), rows
        encode: Any = self.encoder
        return encode(*[cells.take(rows) for cells in self.inputs(batch)]).pooled(), rows

    def inputs(self, batch: Batch) -> Sequence[Cells | PackedCells]:
        """Return what the encoder takes: the cells of each column, or of each of its groups."""
        if self._groups is None:
            return [batch.cells[name] for name in self.columns]
        return [batch.pack(group) for group in self._groups]

    def _encode(self, cells: Sequence[Cells | PackedCells], tokens: bool, dense: bool = False) -> Tokens:
        encode: Any = getattr(self.encoder, "dense", self.encoder) if dense else self.encoder
        encoded = self.encoder.from_features(*cells) if self.reads_features else encode(*cells)  # type: ignore[attr-defined]
        if tokens:
            return Tokens(self.project(encoded.values), encoded.mask)
        return Tokens.of_vector(self.project(encoded.pooled()))

    def _nothing(self, keep: Tensor) -> Tensor:
        width = getattr(self.project, "out_features", self.encoder.width)
        return torch.zeros(len(keep), 1, width, device=keep.device)
