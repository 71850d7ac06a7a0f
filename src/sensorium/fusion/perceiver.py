"""Perceiver: a few latent vectors attend to all tokens, and to each other."""

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


class Perceiver(nn.Module):
    """Perceiver (Jaegle et al. 2021, arXiv:2103.03206): the cost grows linearly with the number of tokens.

    n learned latents (n, d) attend to all tokens (b, Σ t_m, d) that are real and present, with modality
    embeddings, then to each other; L times with separate weights. F is the mean of the latents, normalised: (b, d).

    Args:
        widths: all equal to `width`.
        width: d.
        latents: number of latents n.
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
        latents: PositiveInt = 8,
        layers: Depth = 2,
        heads: PositiveInt = 4,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width = width
        self.latents = nn.Parameter(torch.randn(latents, width))
        self.whose = nn.Parameter(0.02 * torch.randn(len(widths), width))
        place = "fusion perceiver"
        self.read = nn.ModuleList(Block(width, heads, dropout, place) for _ in range(layers))
        self.think = nn.ModuleList(Block(width, heads, dropout, place) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        values, mask = together(tokens, present, self.whose)
        latents = self.latents.expand(values.shape[0], -1, -1)
        every = mask.new_ones(latents.shape[:2])
        for read, think in zip(self.read, self.think, strict=True):
            latents = read(latents, values, mask)
            latents = think(latents, latents, every)
        return self.norm(latents.mean(1))

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
