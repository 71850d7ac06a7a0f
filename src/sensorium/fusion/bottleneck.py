"""Attention bottleneck: modalities exchange information only through a few shared latent tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.config import Depth, Fraction
from sensorium.fusion._blocks import Block, mean_of


class Bottleneck(nn.Module):
    """Multimodal bottleneck transformer (Nagrani et al. 2021, arXiv:2107.00135).

    In each of L layers every modality m has its own block, in which its class token, its tokens and the B latents
    attend to each other: [z_m; x_m; l] → [z_m; x_m; l_m]; the next layer's l is the mean of the l_m of the
    modalities that a row has. F is the mean of their z_m, normalised: (b, t_m, d) → (b, d).

    Args:
        widths: all equal to `width`.
        width: d.
        latents: number of latents B.
        layers: number of layers L. The last one exchanges nothing, so a single layer is a late fusion.
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
        latents: PositiveInt = 4,
        layers: Depth = 2,
        heads: PositiveInt = 4,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width = width
        self.front = nn.Parameter(0.02 * torch.randn(len(widths), 1, width))
        self.latents = nn.Parameter(0.02 * torch.randn(latents, width))
        self.layers = nn.ModuleList(
            nn.ModuleList(Block(width, heads, dropout, "fusion bottleneck") for _ in widths) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        rows = present.shape[0]
        streams = [
            torch.cat([self.front[i].expand(rows, -1, -1), t.values], 1) for i, t in enumerate(tokens)
        ]  # (b, 1 + t_m, d)
        latents = self.latents.expand(rows, -1, -1)
        masks = [nn.functional.pad(t.mask, (1, len(self.latents)), value=True) for t in tokens]
        for blocks in self.layers:
            assert isinstance(blocks, nn.ModuleList)
            seen = [torch.cat([stream, latents], 1) for stream in streams]
            found = [block(x, x, mask) for block, x, mask in zip(blocks, seen, masks, strict=True)]
            streams = [x[:, : -len(self.latents)] for x in found]
            shared = torch.stack([x[:, -len(self.latents) :].flatten(1) for x in found], 1)  # (b, m, B·d)
            latents = mean_of(shared, present).unflatten(1, (len(self.latents), -1))
        return self.norm(mean_of(torch.stack([stream[:, 0] for stream in streams], 1), present))

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
