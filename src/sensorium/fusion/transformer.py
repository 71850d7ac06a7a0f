"""Transformer over the tokens of all modalities: every word attends to every patch and frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.config import Depth, Fraction
from sensorium.fusion._blocks import Block, together


class Transformer(nn.Module):
    """Joint self-attention over all tokens; encoders add the positions.

    A class token, all tokens (b, Σ t_m, d) plus their modality's embedding, L blocks of self-attention among those that
    are real and present; the class token at the end, normalised, is F (b, d).

    Args:
        widths: all equal to `width`.
        width: d.
        layers: number of layers L.
        heads: number of attention heads; must divide `width`.
        dropout: dropout probability in the perceptrons.
    """

    level: ClassVar[Literal["token"]] = "token"
    own_widths: ClassVar[bool] = False

    def __init__(
        self,
        widths: Sequence[int],
        width: int,
        *,
        layers: Depth = 2,
        heads: PositiveInt = 4,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width = width
        self.front = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.whose = nn.Parameter(0.02 * torch.randn(len(widths), width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout, "fusion transformer") for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        values, mask = together(tokens, present, self.whose)
        values = torch.cat([self.front.expand(values.shape[0], -1, -1), values], 1)
        mask = torch.cat([mask.new_ones(mask.shape[0], 1), mask], 1)
        for block in self.blocks:
            values = block(values, values, mask)
        return self.norm(values[:, 0])

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
