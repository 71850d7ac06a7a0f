"""Concatenation of the modalities' vectors and a small perceptron. The default, and a strong baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.config import Depth, Fraction


class Concat(nn.Module):
    """Concatenation [x_1; …; x_m] → layers of Linear, ReLU, dropout.

    x_m (b, d_m) has the width of its encoder; a learned vector stands in for an absent modality.

    Args:
        widths: d_m of each modality.
        width: width of each layer.
        layers: number of layers; 0 gives the concatenation itself, (b, Σ d_m).
        dropout: dropout probability after each layer.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = True

    def __init__(
        self, widths: Sequence[int], width: int, *, layers: Depth | Literal[0] = 1, dropout: Fraction = 0.1
    ) -> None:
        super().__init__()
        self.missing = nn.ParameterList(torch.zeros(size) for size in widths)
        parts: list[nn.Module] = []
        for inside in [sum(widths), *[width] * layers][:layers]:
            parts += [nn.Linear(inside, width), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*parts)
        self.width = width if layers else sum(widths)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        vectors = [
            torch.where(present[:, i, None], t.pooled(), missing)
            for i, (t, missing) in enumerate(zip(tokens, self.missing, strict=True))
        ]
        return self.layers(torch.cat(vectors, 1))

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
