"""Tensor fusion (TFN): all products of features, one feature from each modality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import PositiveInt
from torch import Tensor as TorchTensor
from torch import nn

from sensorium.batch import Tokens
from sensorium.errors import ConfigError

LARGEST = 2**16  # entries of the tensor: beyond, the layer above it has more weights than there is use for


class Tensor(nn.Module):
    """TFN (Zadeh et al. 2017, arXiv:1707.07250): F = ReLU(W·vec([z_1; 1] ⊗ … ⊗ [z_m; 1]) + b), z_m = ReLU(P_m·x_m).

    x_m (b, d_m), the width of its encoder → z_m (b, s) → the tensor (b, (s + 1)^m) of all products of up to m features
    → F (b, d). An absent modality is [0; 1], which leaves the products of the others.

    Args:
        widths: d_m of each modality.
        width: d.
        size: width s of the projected modalities; by default the largest up to 32 for which the tensor has at most
            65,536 entries.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = True

    def __init__(self, widths: Sequence[int], width: int, *, size: PositiveInt | None = None) -> None:
        super().__init__()
        self.width, count = width, len(widths)
        size = size or _default_size(count)
        if (size + 1) ** count > LARGEST:
            raise ConfigError(
                f"{count} modalities of {size} features give a tensor of {(size + 1) ** count:,} entries",
                place="fusion tensor",
                rule=f"a tensor has at most {LARGEST:,} entries",
                cure="choose a smaller size, or the fusion low_rank, which needs no tensor",
            )
        self.project = nn.ModuleList(nn.Linear(own, size) for own in widths)
        self.out = nn.Linear((size + 1) ** count, width)

    def forward(self, tokens: Sequence[Tokens], present: Bool[TorchTensor, "b m"]) -> Float[TorchTensor, "b d"]:
        product = self.out.weight.new_ones(present.shape[0], 1)
        for i, (layer, token) in enumerate(zip(self.project, tokens, strict=True)):
            features = layer(token.pooled()).relu() * present[:, i, None]
            with_one = nn.functional.pad(features, (0, 1), value=1.0)
            product = torch.einsum("bp,bs->bps", product, with_one).flatten(1)
        return self.out(product).relu()

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[TorchTensor, "b m"]) -> None:
        return None


def _default_size(count: int) -> int:
    return max(1, min(32, int(LARGEST ** (1 / count) + 1e-9) - 1))
