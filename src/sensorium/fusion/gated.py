"""Gated multimodal unit (GMU): gates weight the modalities, computed from the row and from what is present."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.fusion._base import masked_softmax, stack


class Gated(nn.Module):
    """Gated multimodal unit (Arevalo et al. 2017, arXiv:1702.01992), for any number of modalities.

    h_m = tanh(W_m·x_m), z = softmax over the present m of V·[x_1; …; x_m; present], F = Σ_m z_m ⊙ h_m:
    x (b, m, d) → h (b, m, d), z (b, m, d or 1) → F (b, d). An absent modality enters V as zeros.

    Args:
        widths: all equal to `width`.
        width: d.
        per_feature: whether each of the d features has its own gate; otherwise one gate serves all.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = False

    def __init__(self, widths: Sequence[int], width: int, *, per_feature: bool = True) -> None:
        super().__init__()
        self.width, count = width, len(widths)
        self.project = nn.ModuleList(nn.Linear(width, width) for _ in widths)
        self.gate = nn.Linear(count * width + count, count * (width if per_feature else 1))

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        vectors = stack(tokens)
        hidden = torch.stack([layer(vectors[:, i]) for i, layer in enumerate(self.project)], 1).tanh()
        return (self.gates(vectors, present) * hidden).sum(1)

    def gates(self, vectors: Float[Tensor, "b m d"], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m w"]:
        """Compute z; w is d, or 1 if one gate serves all features."""
        there = present.to(vectors.dtype)
        logits = self.gate(torch.cat([(vectors * there[..., None]).flatten(1), there], 1))
        return masked_softmax(logits.unflatten(1, (present.shape[1], -1)), present)

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"]:
        return self.gates(stack(tokens), present).mean(2)
