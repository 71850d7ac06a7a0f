"""Dynamic routing: gates weigh, for each row, one path per modality and one path of all modalities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Tokens
from sensorium.fusion._base import masked_softmax, stack


class DynamicRouting(nn.Module):
    """Dynamic routing as in DynMM (Xue and Marculescu 2023, arXiv:2204.00102), with soft gates.

    s = [x_1; …; x_m; present] with zeros for what is absent; paths P_m(x_m) of each modality alone and P_0(s) of all; g
    = softmax over the paths that a row can take of G·s; F = Σ_p g_p · P_p: x (b, m, d) → F (b, d).

    Args:
        widths: all equal to `width`.
        width: d.
    """

    level: ClassVar[Literal["vector"]] = "vector"
    own_widths: ClassVar[bool] = False

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.width, count = width, len(widths)
        seen = count * (width + 1)
        self.alone = nn.ModuleList(nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in widths)
        self.joint = nn.Sequential(nn.Linear(seen, width), nn.ReLU())
        self.gate = nn.Linear(seen, count + 1)

    def forward(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        vectors, seen = self._seen(tokens, present)
        paths = [path(vectors[:, i]) for i, path in enumerate(self.alone)]
        gates = self._gates(seen, present)
        return (gates[..., None] * torch.stack([*paths, self.joint(seen)], 1)).sum(1)

    def _seen(self, tokens: Sequence[Tokens], present: Tensor) -> tuple[Tensor, Tensor]:
        vectors = stack(tokens) * present[..., None]
        return vectors, torch.cat([vectors.flatten(1), present.to(vectors.dtype)], 1)

    def _gates(self, seen: Tensor, present: Tensor) -> Float[Tensor, "b paths"]:
        """Compute the gates; the last path, that of all modalities, is open to every row."""
        return masked_softmax(self.gate(seen), nn.functional.pad(present, (0, 1), value=True))

    def modality_weights(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b m"]:
        """Return the gate of each modality's own path plus an equal share of the joint path."""
        gates = self._gates(self._seen(tokens, present)[1], present)
        return gates[:, :-1] + gates[:, -1:] * present / present.sum(1, keepdim=True)
