"""Attention pooling over the tokens of all modalities, with learned queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.config import Fraction, check_heads


class Attention(nn.Module):
    """Pooling by multi-head attention (Lee et al. 2019, arXiv:1810.00825), with modality embeddings.

    All tokens (b, Σ t_m, d) plus their modality's embedding are keys and values; q learned queries (q, d) attend to
    those that are real and present; the result of each query passes a residual perceptron → (b, q·d) → Linear → (b, d).

    Args:
        widths: all equal to `width`.
        width: d.
        heads: number of attention heads; must divide `width`.
        queries: number of queries q.
        dropout: dropout probability in the perceptron.
    """

    level: ClassVar[Literal["token"]] = "token"
    own_widths: ClassVar[bool] = False

    def __init__(
        self,
        widths: Sequence[int],
        width: int,
        *,
        heads: PositiveInt = 4,
        queries: PositiveInt = 4,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        check_heads(heads, width, "fusion attention")
        self.width, self.heads = width, heads
        self.query = nn.Parameter(torch.randn(queries, width))
        self.whose = nn.Parameter(0.02 * torch.randn(len(widths), width))
        self.norm = nn.LayerNorm(width)
        self.key_value = nn.Linear(width, 2 * width)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )
        self.out = nn.Linear(queries * width, width)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        weights, values = self._attend(tokens, present)
        answers = (weights @ values).transpose(1, 2).flatten(2)  # (b, q, d)
        return self.out((answers + self.perceptron(answers)).flatten(1))

    def _attend(self, tokens: Sequence[Tokens], present: Tensor) -> tuple[Tensor, Tensor]:
        """Compute weights (b, heads, q, s) and values (b, heads, s, d / heads) of the s tokens of all modalities."""
        everything = torch.cat([self.norm(t.values) + self.whose[i] for i, t in enumerate(tokens)], 1)  # (b, s, d)
        mask = torch.cat([t.mask & present[:, i, None] for i, t in enumerate(tokens)], 1)  # (b, s)
        keys, values = self.key_value(everything).unflatten(2, (self.heads, -1)).transpose(1, 2).chunk(2, 3)
        query = self.query.unflatten(1, (self.heads, -1)).transpose(0, 1)  # (heads, q, d / heads)
        scores = query @ keys.transpose(2, 3) / keys.shape[3] ** 0.5  # (b, heads, q, s)
        return scores.masked_fill(~mask[:, None, None], float("-inf")).softmax(3), values

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"]:
        weights = self._attend(tokens, present)[0].mean((1, 2))  # (b, s)
        return torch.stack([part.sum(1) for part in weights.split([t.values.shape[1] for t in tokens], 1)], 1)
