"""Mean or sum of the embeddings of a set of tags."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt
from torch import nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Fraction
from sensorium.encoders._base import padded_zero

ACCEPTS = ("tags",)


class TagSet(nn.Module):
    """Embedding of an unordered set of tags (Zaheer et al. 2017, "Deep Sets", arXiv:1703.06114).

    ids (b, t) → embedding → tokens (b, t, size), one for each tag; summary: their mean or sum. The empty set has its
    own id and a learned vector.

    Args:
        vocabulary: number of ids.
        size: width of an embedding.
        reduce: `mean`, or `sum`, which also encodes the number of tags.
        dropout: dropout probability of the embedded tags.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        size: PositiveInt = 64,
        reduce: Literal["mean", "sum"] = "mean",
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width, self.reduce = size, reduce
        self.embed = nn.Embedding(vocabulary, size, padding_idx=0)
        self.dropout = nn.Dropout(dropout)

    def forward(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        values = padded_zero(cells.mask, self.dropout(self.embed(cells.values)))
        return Tokens(values, cells.mask, values.sum(1) if self.reduce == "sum" else None)
