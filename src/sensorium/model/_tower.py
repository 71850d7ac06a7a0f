"""Tower of a network: an encoder with a projection of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from sensorium.batch import Batch, Cells, Tokens
from sensorium.encoders import Encoder


class Tower(nn.Module):
    """Encoder with a projection of its tokens to the width of the fusion."""

    def __init__(self, name: str, columns: Sequence[str], encoder: Encoder, project: nn.Module) -> None:
        super().__init__()
        self.name, self.columns = name, tuple(columns)
        self.encoder, self.project = encoder, project
        self.reads_features = False  # instead of cells: what the encoder's `features` gave, computed beforehand

    def present(self, batch: Batch) -> Bool[Tensor, " b"]:
        """Return the rows in which a column of the tower is present."""
        return torch.stack([batch.cells[name].present for name in self.columns]).any(0)

    def forward(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode the rows to keep; the others get no token."""
        cells = [batch.cells[name] for name in self.columns]
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
        return self._encode([batch.cells[name].fill(keep) for name in self.columns], tokens, dense=True).only(keep)

    def _encode(self, cells: Sequence[Cells], tokens: bool, dense: bool = False) -> Tokens:
        encode: Any = getattr(self.encoder, "dense", self.encoder) if dense else self.encoder
        encoded = self.encoder.from_features(*cells) if self.reads_features else encode(*cells)  # type: ignore[attr-defined]
        if tokens:
            return Tokens(self.project(encoded.values), encoded.mask)
        return Tokens.of_vector(self.project(encoded.pooled()))

    def _nothing(self, keep: Tensor) -> Tensor:
        width = getattr(self.project, "out_features", self.encoder.width)
        return torch.zeros(len(keep), 1, width, device=keep.device)
