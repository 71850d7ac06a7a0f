"""Weighted sum of the modalities' vectors: F(x) = α·CNN(x) + (1−α)·RNN(x)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.errors import ConfigError
from sensorium.fusion._base import masked_softmax, stack


class WeightedSum(nn.Module):
    """Weighted sum of any number of modalities: F(x) = Σ_m α_m·x_m with α_m ≥ 0 and Σ_m α_m = 1.

    x_m (b, m, d), α (m,) or (m, d) → F (b, d). If a modality is absent, the weights of the others are scaled to add
    up to 1.

    Args:
        widths: all equal to `width`.
        width: d.
        alpha: a number fixes the weight α of the first of two modalities; a list fixes one weight for each modality;
            `learned` learns them (a softmax over m parameters, equal at the start); `per_feature` learns them for each
            of the d features.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = False

    def __init__(
        self,
        widths: Sequence[int],
        width: int,
        *,
        alpha: float | list[float] | Literal["learned", "per_feature"] = "learned",
    ) -> None:
        super().__init__()
        self.width = width
        if alpha == "learned" or alpha == "per_feature":
            size = (len(widths), width if alpha == "per_feature" else 1)
            self.logits = nn.Parameter(torch.zeros(size))
        else:
            weights = [alpha, 1 - alpha] if isinstance(alpha, int | float) else list(alpha)
            _check(alpha, weights, len(widths))
            # A weight of 0 is kept a hair above it: where only that modality is there, it must answer.
            self.register_buffer("logits", torch.tensor([[math.log(max(w, 1e-30))] for w in weights]))

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        return (self.weights(present) * stack(tokens)).sum(1)

    def weights(self, present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m w"]:
        """Return α of each row; w is 1, or d for `per_feature`."""
        return masked_softmax(self.logits.expand(present.shape[0], -1, -1), present)

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"]:
        return self.weights(present).mean(2)


def _check(alpha: float | list[float], weights: list[float], modalities: int) -> None:
    if len(weights) != modalities or min(weights) < 0 or not abs(sum(weights) - 1) <= 1e-6:
        raise ConfigError(
            f"alpha = {alpha} does not suit {modalities} modalities",
            place="fusion weighted_sum",
            rule="one weight for each modality, none negative, adding up to 1; a single number α means [α, 1 - α]",
        )
