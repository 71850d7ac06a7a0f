"""Directed cross-attention: the tokens of one modality attend to those of another (MulT)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.config import Fraction
from sensorium.errors import ConfigError
from sensorium.fusion._blocks import Block, mean_of


class CrossAttention(nn.Module):
    """Directed cross-attention as in MulT (Tsai et al. 2019, arXiv:1906.00295), for any pairs of modalities.

    For each pair (i, j) the tokens of i query those of j in a separate block, (b, t_i, d) → (b, t_i, d); a block of
    self-attention follows for each i on the mean over its pairs. F is the mean, over the modalities that a row has, of
    the means of their tokens, normalised: (b, d). A modality without a partner in a row stays unchanged.

    Args:
        widths: all equal to `width`.
        width: d.
        pairs: pairs (i, j) where i attends to j, numbered from 0 in the order of the modalities; all ordered pairs by
            default.
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
        pairs: tuple[tuple[NonNegativeInt, NonNegativeInt], ...] | None = None,
        heads: PositiveInt = 4,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width, count = width, len(widths)
        self.pairs = _every_pair(count) if pairs is None else _checked(pairs, count)
        place = "fusion cross_attention"
        self.look = nn.ModuleList(Block(width, heads, dropout, place) for _ in self.pairs)
        self.think = nn.ModuleList(Block(width, heads, dropout, place) for _ in widths)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        found = torch.stack([self._enriched(i, tokens, present) for i in range(len(tokens))], 1)
        return self.norm(mean_of(found, present))

    def _enriched(self, target: int, tokens: Sequence[Tokens], present: Tensor) -> Float[Tensor, "b d"]:
        """Return one vector of a modality that has attended to its partners."""
        own = tokens[target]
        total, partners = torch.zeros_like(own.values), own.values.new_zeros(present.shape[0], 1, 1)
        for (i, j), look in zip(self.pairs, self.look, strict=True):
            if i == target:
                there = present[:, j, None, None]
                seen = look(own.values, tokens[j].values, tokens[j].mask & present[:, j, None])
                total, partners = total + seen * there, partners + there
        values = torch.where(partners > 0, total / partners.clamp_min(1), own.values)
        return Tokens(self.think[target](values, values, own.mask), own.mask).pooled()

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None


def _every_pair(count: int) -> tuple[tuple[int, int], ...]:
    return tuple((i, j) for i in range(count) for j in range(count) if i != j)


def _checked(pairs: tuple[tuple[int, int], ...], count: int) -> tuple[tuple[int, int], ...]:
    for pair in pairs:
        if pair not in _every_pair(count):
            raise ConfigError(
                f"{list(pair)} is not a pair of {count} modalities",
                place="fusion cross_attention, pairs",
                rule=f"a pair consists of two different numbers from 0 to {count - 1}",
            )
    return pairs
