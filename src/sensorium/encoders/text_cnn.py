"""Convolutions of several window sizes on embedded words, with max-pooling over time."""

from __future__ import annotations

import torch
from pydantic import PositiveInt
from torch import nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Fraction, Sizes
from sensorium.encoders._base import initialise, padded_zero

ACCEPTS = ("text", "document")


class TextCNN(nn.Module):
    """TextCNN (Kim 2014, "Convolutional Neural Networks for Sentence Classification", arXiv:1408.5882).

    ids (b, t) → embedding (b, t, e) → one map per window size (b, t, f) → tokens (b, t, s·f), summary: maxima over t.

    Args:
        vocabulary: number of token ids.
        embedding: width e of a word embedding.
        filters: number of filters f of each window size.
        windows: the s window sizes, in words.
        dropout: dropout probability of the embedded words.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        embedding: PositiveInt = 64,
        filters: PositiveInt = 64,
        windows: Sizes = (1, 3, 5),
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width = filters * len(windows)
        self.embed = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.dropout = nn.Dropout(dropout)
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding, filters, size, padding="same") for size in windows)
        initialise(self)

    def forward(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        words = self.dropout(self.embed(cells.values)).transpose(1, 2)  # (b, e, t)
        maps = torch.cat([conv(words) for conv in self.convolutions], 1).relu().transpose(1, 2)  # (b, t, s·f)
        values = padded_zero(cells.mask, maps)
        return Tokens(values, cells.mask, values.amax(1))  # ReLU leaves nothing below the padding's zero
