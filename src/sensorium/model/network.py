"""Wire encoders, fusion and head to one `nn.Module`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Batch, Tokens
from sensorium.fusion import Fusion
from sensorium.model._tower import Tower


class FusionModel(nn.Module):
    """Network of towers, fusion and head, called in this order.

    Args:
        towers: one tower per modality.
        fusion: the fusion of as many modalities.
        head: maps the fused vector to logits; the identity after decision-level fusion, which fuses logits.
        outputs: number of logits.
    """

    def __init__(self, towers: Sequence[Tower], fusion: Fusion, head: nn.Module, *, outputs: int) -> None:
        super().__init__()
        self.towers = nn.ModuleList(towers)
        self.fusion, self.head, self.outputs = fusion, head, outputs
        self.frozen_modules: tuple[nn.Module, ...] = ()  # parts that stay in evaluation mode while others train

    def train(self, mode: bool = True) -> FusionModel:
        """Set the training mode, except for frozen parts."""
        super().train(mode)
        for part in self.frozen_modules:
            part.eval()
        return self

    def forward(self, batch: Batch, hide: Bool[Tensor, "b m"] | None = None) -> Float[Tensor, "b k"]:
        """Compute logits; `hide` marks modalities of rows as missing."""
        return self.decide(*self.encode(batch, hide))

    def forward_dense(self, batch: Batch) -> Float[Tensor, "b k"]:
        """Compute the logits of `forward` for export: every row passes every encoder, and missing cells are masked.

        For evaluation mode only. A row without any modality gets NaN or an arbitrary number; the caller replaces it.
        """
        return self.decide(*self.encode_dense(batch))

    def encode(self, batch: Batch, hide: Bool[Tensor, "b m"] | None = None) -> tuple[list[Tokens], Bool[Tensor, "b m"]]:
        """Encode each modality in the rows that have it; return the tokens and the presence of modalities."""
        present = self.present(batch) if hide is None else self.present(batch) & ~hide
        every_token = self.fusion.level == "token"
        return [tower(batch, present[:, i], every_token) for i, tower in enumerate(self.every_tower)], present

    def encode_dense(self, batch: Batch) -> tuple[list[Tokens], Bool[Tensor, "b m"]]:
        """Compute the tokens of `encode`, without control flow that depends on data."""
        present, every_token = self.present(batch), self.fusion.level == "token"
        towers = enumerate(self.every_tower)
        return [tower.forward_dense(batch, present[:, i], every_token) for i, tower in towers], present

    def fuse(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        """Fuse the modalities that are present into one vector.

        Decision-level fusion has no fused vector: the result is the fused logits.
        """
        return self.fusion(list(tokens), present)

    def decide(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b k"]:
        """Fuse the modalities that are present and map the result to logits."""
        return self.head(self.fuse(tokens, present))

    @contextmanager
    def reading_features(self, towers: Collection[str]) -> Iterator[None]:
        """Make some towers read precomputed features within a `with` block."""
        before = [tower.reads_features for tower in self.every_tower]
        for tower in self.every_tower:
            tower.reads_features = tower.name in towers
        try:
            yield
        finally:
            for tower, earlier in zip(self.every_tower, before, strict=True):
                tower.reads_features = earlier

    def modality_weights(self, batch: Batch) -> Float[Tensor, "b m"] | None:
        """Compute the weight of each modality in each row; None if the fusion has no weights."""
        return self.fusion.modality_weights(*self.encode(batch))

    def present(self, batch: Batch) -> Bool[Tensor, "b m"]:
        """Return which modalities each row has."""
        return torch.stack([tower.present(batch) for tower in self.every_tower], 1)

    @property
    def parts(self) -> list[tuple[str, nn.Module]]:
        """Return name → module of the towers, `fusion` and `head`."""
        others: list[tuple[str, Any]] = [("fusion", self.fusion), ("head", self.head)]
        return [*((tower.name, tower) for tower in self.every_tower), *others]

    @property
    def every_tower(self) -> list[Tower]:
        """Return the towers, with their type."""
        return [tower for tower in self.towers if isinstance(tower, Tower)]

    def tower(self, name: str) -> Tower:
        """Return the tower of a name."""
        return next(tower for tower in self.every_tower if tower.name == name)
