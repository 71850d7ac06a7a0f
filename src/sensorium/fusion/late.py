"""Late fusion: every modality decides for itself, the decisions are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.fusion._base import masked_softmax, stack


class Late(nn.Module):
    """Decision-level fusion: F = Σ_m w_m·y_m over the modalities that a row has; y_m are the logits of each one's head.

    y (b, m, k), w (m,) → F (b, k); the mean of logits is the (normalised) geometric mean of probabilities, a product
    of experts (Hinton 2002).

    Args:
        widths: all equal to `width`.
        width: k, the number of logits.
        weights: `mean`, or `learned` (a softmax over m parameters, equal at the start).
    """

    level: ClassVar[Literal["decision"]] = "decision"
    own_widths: ClassVar[bool] = False

    def __init__(self, widths: Sequence[int], width: int, *, weights: Literal["mean", "learned"] = "mean") -> None:
        super().__init__()
        self.width = width
        self.logits = nn.Parameter(torch.zeros(len(widths)), requires_grad=weights == "learned")

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        return (self.shares(tokens, present)[..., None] * stack(tokens)).sum(1)

    def shares(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"]:
        return masked_softmax(self.logits.expand(len(present), -1), present)
