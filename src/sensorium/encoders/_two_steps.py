"""Encoders in two steps: what makes features, which may be frozen, and a small network of our own over it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.encoders._base import fingerprint
from sensorium.encoders.vector_mlp import VectorMLP


class TwoSteps(nn.Module):
    """cells → features (b, f) → one token (b, 1, size). Frozen, the features of all cells are computed once and kept.

    Args:
        backbone: makes the features.
        frozen: it stays as it is, and in evaluation mode, whatever is trained.
        features: f.
        size: width of the token that comes out.
        dropout: in the small network.
    """

    def __init__(self, backbone: nn.Module, frozen: bool, *, features: int, size: int, dropout: float) -> None:
        super().__init__()
        self.backbone, self.frozen = backbone, frozen
        self.features_width, self.width = features, size
        self.head = VectorMLP(features, size=size, dropout=dropout)

    def features(self, cells: Cells) -> Tensor:
        """Cells → (b, f)."""
        raise NotImplementedError

    def rests(self, part: nn.Module) -> bool:
        """Does a part of a backbone that is trained stay in evaluation mode: batch normalisation, with its means?"""
        return False

    def identity(self) -> str:
        """A hash of all that the features depend on."""
        return fingerprint(type(self).__name__, self.backbone)

    def train(self, mode: bool = True) -> TwoSteps:
        """A frozen model stays as it is when it answers."""
        super().train(mode)
        for part in self.backbone.modules():
            if self.frozen or self.rests(part):
                part.training = False
        return self

    def forward(self, cells: Cells) -> Tokens:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = self.features(cells)
        return self.from_features(Cells(features, cells.present))

    def from_features(self, cells: Cells) -> Tokens:
        """What `features` gave → one token."""
        return self.head(cells)
