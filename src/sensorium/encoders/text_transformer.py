"""Small transformer on embedded words."""

from __future__ import annotations

import math

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction, check_heads
from sensorium.encoders._base import padded_zero

ACCEPTS = ("text", "document")


class TextTransformer(nn.Module):
    """Transformer encoder (Vaswani et al. 2017, arXiv:1706.03762), pre-norm, with sinusoidal positions.

    ids (b, t) → embedding + position (b, t, d) → layers → tokens (b, t, d); the summary is their mean.

    Args:
        vocabulary: number of token ids.
        size: width d.
        layers: number of layers.
        heads: attention heads; must divide `size`.
        dropout: dropout probability within the layers.
    """

    def __init__(
        self,
        vocabulary: int,
        *,
        size: PositiveInt = 64,
        layers: Depth = 2,
        heads: PositiveInt = 4,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        check_heads(heads, size, "encoder text_transformer")
        self.width = size
        self.embed = nn.Embedding(vocabulary, size, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        layer = nn.TransformerEncoderLayer(size, heads, 4 * size, dropout, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, nn.LayerNorm(size), enable_nested_tensor=False)

    def forward(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        words = self.embed(cells.values)  # (b, t, d)
        states = self.layers(words + 0.1 * sinusoids(words), src_key_padding_mask=~cells.mask)
        return Tokens(padded_zero(cells.mask, states), cells.mask)


def sinusoids(words: Tensor) -> Tensor:
    """Return sinusoidal positions (t, d), with wavelengths from 2π to 10,000·2π."""
    steps, size = words.shape[1:]
    position = torch.arange(steps, device=words.device, dtype=words.dtype)[:, None]
    rate = torch.exp(torch.arange(0, size, 2, device=words.device) * (-math.log(10_000) / size))  # (d/2,)
    return torch.stack([torch.sin(position * rate), torch.cos(position * rate)], 2).flatten(1)[:, :size]
