"""Encoders in two steps: a backbone that computes features and may be frozen, and a small network on top."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.encoders._hash import hash_weights
from sensorium.encoders.vector_mlp import VectorMLP


class TwoSteps(nn.Module):
    """Cells → features (b, f) → one token (b, 1, size). Features of a frozen backbone are computed once and cached.

    Args:
        backbone: computes the features.
        frozen: whether the backbone is never trained and stays in evaluation mode.
        features: width f of the features.
        size: width of the output token.
        dropout: dropout probability in the small network.
    """

    def __init__(self, backbone: nn.Module, frozen: bool, *, features: int, size: int, dropout: float) -> None:
        super().__init__()
        self.backbone, self.frozen = backbone, frozen
        self.features_width, self.width = features, size
        self.head = VectorMLP(features, size=size, dropout=dropout)

    def features(self, cells: Cells) -> Tensor:
        """Compute the features (b, f) of cells."""
        raise NotImplementedError

    def rests(self, part: nn.Module) -> bool:
        """Return whether a part, such as batch normalisation, stays in evaluation mode during training."""
        return False

    def identity(self) -> str:
        """Return a hash of everything that the features depend on."""
        return hash_weights(self.backbone.state_dict(), name=type(self).__name__)

    def train(self, mode: bool = True) -> TwoSteps:
        """Set the mode; a frozen backbone stays in evaluation mode."""
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
        """Map features to one token."""
        return self.head(cells)
