"""Late (decision-level) fusion: each modality has its own head, and the logits are combined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.fusion._base import masked_softmax, stack

# option → value → the tasks that it supports, by name or trait
OPTION_TASKS = {"weights": {"energy": ("class logits",)}}


class Late(nn.Module):
    """Decision-level fusion: F = Σ_m w_m·y_m over the modalities that a row has; y_m are the logits of its head.

    y (b, m, k), w (m,) or (b, m) → F (b, k); the mean of logits is the (normalised) geometric mean of probabilities.

    Args:
        widths: all equal to `width`.
        width: number of logits k.
        weights: `mean`; `learned` (a softmax over m parameters, equal at the start); `product` (w_m = 1: a product of
            experts, Hinton 2002, more confident if more modalities agree); `energy` (a softmax over log Σ_k exp y_mk,
            so that an uncertain modality has less weight, Zhang et al. 2023, arXiv:2306.02050; for logits of classes or
            labels, so not for `ordinal`, `regression`, `count` and several targets).
    """

    level: ClassVar[Literal["decision"]] = "decision"
    own_widths: ClassVar[bool] = False

    def __init__(
        self,
        widths: Sequence[int],
        width: int,
        *,
        weights: Literal["mean", "learned", "product", "energy"] = "mean",
    ) -> None:
        super().__init__()
        self.width, self.weights = width, weights
        self.logits = nn.Parameter(torch.zeros(len(widths)), requires_grad=weights == "learned")

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        weights = present.to(self.logits.dtype) if self.weights == "product" else self.modality_weights(tokens, present)
        return (weights[..., None] * stack(tokens)).sum(1)

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"]:
        if self.weights == "energy":
            return masked_softmax(_energy(stack(tokens)), present)
        return masked_softmax(self.logits.expand(present.shape[0], -1), present)


def _energy(logits: Float[Tensor, "b m k"]) -> Float[Tensor, "b m"]:
    """Return log Σ exp of the logits; a single logit y stands for two classes with logits ±y / 2."""
    return (torch.cat([logits, -logits], 2) / 2 if logits.shape[2] == 1 else logits).logsumexp(2)
