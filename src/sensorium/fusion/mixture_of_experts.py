"""Sparse mixture of experts: a router sends each row to a few experts, by its features and missing modalities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.config import Depth
from sensorium.errors import ConfigError
from sensorium.fusion._base import stack

STEP = 0.01  # by which an expert's bias moves after each training batch


class MixtureOfExperts(nn.Module):
    """Mixture of experts as in FuseMoE (Han et al. 2024, arXiv:2402.03226) and Shazeer et al. 2017 (arXiv:1701.06538).

    s = [x_1; …; x_m; present] with zeros for what is absent; a row goes to the k experts whose score R·s + bias is
    highest; F = Σ softmax over these k of R·s · E_e(s), E_e a perceptron: x (b, m, d) → F (b, d). The bias, which only
    chooses, falls for experts that get more than their share of the rows and rises for the others (Wang et al. 2024,
    arXiv:2408.15664), so that all are used.

    Args:
        widths: all equal to `width`.
        width: d.
        experts: number of experts.
        active: k, the number of experts that each row is sent to.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = False
    bias: Tensor

    def __init__(self, widths: Sequence[int], width: int, *, experts: Depth = 4, active: Depth = 2) -> None:
        super().__init__()
        if active > experts:
            raise ConfigError(
                f"active ({active}) must not exceed experts ({experts})", place="fusion mixture_of_experts"
            )
        self.width, self.active, seen = width, active, len(widths) * (width + 1)
        self.router = nn.Linear(seen, experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(seen, width), nn.ReLU(), nn.Linear(width, width)) for _ in range(experts)
        )
        self.register_buffer("bias", torch.zeros(experts))

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        vectors = stack(tokens)
        there = present.to(vectors.dtype)
        seen = torch.cat([(vectors * there[..., None]).flatten(1), there], 1)
        weights = self._route(self.router(seen))  # (b, experts)
        answers = torch.stack([expert(seen) for expert in self.experts], 1)  # (b, experts, d)
        return (weights[..., None] * answers).sum(1)

    def _route(self, scores: Float[Tensor, "b e"]) -> Float[Tensor, "b e"]:
        """Return weights that add up to 1 over the chosen experts, and are 0 for the others."""
        chosen = torch.zeros_like(scores, dtype=torch.bool)
        chosen.scatter_(1, (scores.detach() + self.bias).topk(self.active, 1).indices, True)
        if self.training:
            load = chosen.float().mean(0)
            self.bias -= STEP * (load - self.active / len(load)).sign()
        return scores.masked_fill(~chosen, float("-inf")).softmax(1)

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> None:
        return None
