"""Low-rank multimodal fusion (LMF): tensor fusion in factors, without building the tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Tokens


class LowRank(nn.Module):
    """LMF (Liu et al. 2018, arXiv:1806.00064): F = b + Σ_r w_r · Π_m (W_m^r·[x_m; 1]).

    x_m (b, d_m) has the width of its encoder, W_m (rank, d_m + 1, d) → factors (b, rank, d), multiplied over the
    modalities that a row has, summed over the ranks with weights w: F (b, d).

    Args:
        widths: d_m of each modality.
        width: d.
        rank: number of factors r.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = True

    def __init__(self, widths: Sequence[int], width: int, *, rank: PositiveInt = 4) -> None:
        super().__init__()
        self.width, self.rank = width, rank
        self.factor = nn.ModuleList(nn.Linear(size, rank * width) for size in widths)
        for layer in self.factor:
            assert isinstance(layer, nn.Linear)
            nn.init.ones_(layer.bias)  # a product of many factors around 0 would vanish
        self.weights = nn.Parameter(torch.full((rank,), 1 / rank))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        product = self.bias.new_ones(())
        for i, (layer, token) in enumerate(zip(self.factor, tokens, strict=True)):
            product = product * torch.where(present[:, i, None], layer(token.pooled()), 1)
        return (product.unflatten(1, (self.rank, -1)) * self.weights[:, None]).sum(1) + self.bias

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
