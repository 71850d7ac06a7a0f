"""Small residual network on a vector."""

from __future__ import annotations

from pydantic import PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction

ACCEPTS = ("vector",)
FARTHEST = 10.0  # standard deviations to which outliers are clipped, so that they do not dominate


class VectorMLP(nn.Module):
    """Projection and residual blocks, as in the tabular ResNet of Gorishniy et al. 2021 (arXiv:2106.11959).

    vector (b, width) → (b, size) → blocks: x + f(norm(x)) → one token (b, 1, size).

    Args:
        width: width of the vector.
        size: width of the output token.
        blocks: number of residual blocks.
        dropout: dropout probability within the blocks.
    """

    def __init__(self, width: int, *, size: PositiveInt = 128, blocks: Depth = 1, dropout: Fraction = 0.1) -> None:
        super().__init__()
        self.width = size
        self.project = nn.Linear(width, size)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(size), nn.Linear(size, size), nn.ReLU(), nn.Dropout(dropout), nn.Linear(size, size)
            )
            for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(size)

    def forward(self, cells: Cells) -> Tokens:
        hidden: Tensor = self.project(cells.values.clamp(-FARTHEST, FARTHEST))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return Tokens.of_vector(self.norm(hidden).relu())
