"""Multiplicative interactions: a bilinear form of each pair of modalities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.fusion._base import stack


class Multiplicative(nn.Module):
    """Multiplicative interactions (Jayakumar et al. 2020), with factorised forms (Kim et al. 2017, arXiv:1610.04325).

    F = b + Σ_m V_m·x_m + W·Σ_{i<j} (A_i·x_i) ⊙ (A_j·x_j) over the modalities that a row has: x (b, m, d) → F (b, d).

    Args:
        widths: all equal to `width`.
        width: d.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = False

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.width = width
        self.linear = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in widths)
        self.factor = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in widths)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        vectors = stack(tokens) * present[..., None]
        linear = torch.stack([layer(vectors[:, i]) for i, layer in enumerate(self.linear)], 1).sum(1)
        factors = torch.stack([layer(vectors[:, i]) for i, layer in enumerate(self.factor)], 1)  # (b, m, d)
        # Σ_{i<j} a_i·a_j = ((Σ a)² − Σ a²) / 2: no loop over pairs.
        pairs = (factors.sum(1).square() - factors.square().sum(1)) / 2
        return linear + self.out(pairs)

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
