"""Feature-wise linear modulation (FiLM): the other modalities scale and shift each feature of a modality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.fusion._base import stack
from sensorium.fusion._blocks import mean_of


class Film(nn.Module):
    """FiLM (Perez et al. 2018, arXiv:1709.07871), each modality conditioned on the mean of the others.

    c_m = mean of x_j over the present j ≠ m, [γ_m; β_m] = W_m·c_m, h_m = (1 + γ_m) ⊙ x_m + β_m, F = mean of h_m over
    the present m: x (b, m, d) → F (b, d). A modality that is alone in its row stays unchanged.

    Args:
        widths: all equal to `width`.
        width: d.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = False

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.width = width
        self.modulate = nn.ModuleList(nn.Linear(width, 2 * width, bias=False) for _ in widths)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        vectors = stack(tokens)
        found = [self._modulated(place, vectors, present) for place in range(len(tokens))]
        return mean_of(torch.stack(found, 1), present)

    def _modulated(self, place: int, vectors: Tensor, present: Tensor) -> Float[Tensor, "b d"]:
        others = torch.arange(present.shape[1], device=present.device) != place
        scale, shift = self.modulate[place](mean_of(vectors, present & others)).chunk(2, 1)
        return (1 + scale) * vectors[:, place] + shift

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
