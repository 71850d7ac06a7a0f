"""Building blocks of token-level fusions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.config import check_heads


class Block(nn.Module):
    """Pre-norm transformer layer (Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745).

    h = x + A(norm(x), norm(context)), then h + MLP(norm(h)); a row without any real context keeps h = x.

    Args:
        width: width d of x and of the context.
        heads: number of heads of the attention A; must divide `width`.
        dropout: dropout probability in the perceptron.
        place: location in the error if the heads do not fit.
    """

    def __init__(self, width: int, heads: int, dropout: float, place: str) -> None:
        super().__init__()
        check_heads(heads, width, place)
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(
        self, x: Float[Tensor, "b q d"], context: Float[Tensor, "b s d"], mask: Bool[Tensor, "b s"]
    ) -> Float[Tensor, "b q d"]:
        # Softmax needs an entry: rows without any attend to all, and their result is dropped.
        some = mask.any(1)[:, None]  # (b, 1)
        query = self._split(self.query(self.norm(x)))
        keys, values = self._split(self.key_value(self.norm(context))).chunk(2, 3)
        found = nn.functional.scaled_dot_product_attention(query, keys, values, (mask | ~some)[:, None, None])
        x = x + self.out(found.transpose(1, 2).flatten(2)) * some[..., None]
        return x + self.perceptron(x)

    def _split(self, x: Tensor) -> Tensor:
        """Split into heads: (b, s, d) → (b, heads, s, d / heads)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


def together(
    tokens: Sequence[Tokens], present: Bool[Tensor, "b m"], whose: Float[Tensor, "m d"]
) -> tuple[Float[Tensor, "b s d"], Bool[Tensor, "b s"]]:
    """Concatenate the tokens of all modalities, each with the embedding of its modality, and their masks."""
    values = torch.cat([t.values + whose[i] for i, t in enumerate(tokens)], 1)
    return values, torch.cat([t.mask & present[:, i, None] for i, t in enumerate(tokens)], 1)


def mean_of(values: Float[Tensor, "b m d"], there: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
    """Average the tokens under the mask; zeros if there are none."""
    return (values * there[..., None]).sum(1) / there.sum(1, keepdim=True).clamp_min(1)
