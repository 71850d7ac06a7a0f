"""Wire encoders, fusion and head to one `nn.Module`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sensorium.batch import Batch, Cells, Tokens
from sensorium.encoders import Encoder
from sensorium.fusion import Fusion
from sensorium.prepare.loader import Loader


@dataclass(frozen=True)
class TowerPlan:
    """Plan of a tower: its columns and their encoder. Fusions and reports call a tower a modality."""

    name: str
    columns: list[str]
    encoder: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Blueprint:
    """Description of a network in JSON values, from which it can be built."""

    towers: list[TowerPlan]
    fusion: str
    fusion_options: dict[str, Any]
    width: int
    head: str = "linear"
    head_options: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Blueprint:
        return cls(**{**content, "towers": [TowerPlan(**tower) for tower in content["towers"]]})


class Tower(nn.Module):
    """Encoder with a projection of its tokens to the width of the fusion."""

    def __init__(self, name: str, columns: Sequence[str], encoder: Encoder, project: nn.Module) -> None:
        super().__init__()
        self.name, self.columns = name, tuple(columns)
        self.encoder, self.project = encoder, project
        self.reads_features = False  # instead of cells: what the encoder's `features` gave, computed beforehand

    def present(self, batch: Batch) -> Bool[Tensor, " b"]:
        """Return the rows in which a column of the tower is present."""
        return torch.stack([batch.cells[name].present for name in self.columns]).any(0)

    def forward(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode the rows to keep; the others get no token."""
        cells = [batch.cells[name] for name in self.columns]
        if bool(keep.all()):
            return self._encode(cells, tokens)
        rows = keep.nonzero().squeeze(1)
        if not len(rows):
            return Tokens(self._nothing(keep), keep[:, None])
        return self._encode([c.take(rows) for c in cells], tokens).scatter(rows, len(keep))

    def forward_dense(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode every row and mask those not to keep: the tokens of `forward`, without control flow that depends on
        data. For evaluation only.
        """
        return self._encode([batch.cells[name].fill(keep) for name in self.columns], tokens, dense=True).only(keep)

    def _encode(self, cells: Sequence[Cells], tokens: bool, dense: bool = False) -> Tokens:
        encode: Any = getattr(self.encoder, "dense", self.encoder) if dense else self.encoder
        encoded = self.encoder.from_features(*cells) if self.reads_features else encode(*cells)  # type: ignore[attr-defined]
        if tokens:
            return Tokens(self.project(encoded.values), encoded.mask)
        return Tokens.of_vector(self.project(encoded.pooled()))

    def _nothing(self, keep: Tensor) -> Tensor:
        width = getattr(self.project, "out_features", self.encoder.width)
        return torch.zeros(len(keep), 1, width, device=keep.device)


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
        for tower in self.every_tower:
            tower.reads_features = tower.name in towers
        try:
            yield
        finally:
            for tower in self.every_tower:
                tower.reads_features = False

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


def weight_index(old: Tensor, new: Tensor, logits: Tensor, sizes: tuple[int, int]) -> tuple[Tensor, ...]:
    """Return the index of a smaller model's weight within the same weight of a model with more logits.

    Args:
        old: a weight of the model with `sizes[0]` logits.
        new: the same weight of the model with `sizes[1]` logits.
        logits: int64[k], the index of each old logit in the new model.
        sizes: both numbers of logits.
    """
    grown = old.shape != new.shape
    pairs = zip(old.shape, new.shape, strict=True)
    axes = [logits if grown and pair == sizes and pair[0] != pair[1] else torch.arange(pair[0]) for pair in pairs]
    return torch.meshgrid(*axes, indexing="ij") if axes else ()


def infer(model: FusionModel, loader: Loader, rows: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float32]:
    """Compute the logits (n, k) of some rows, in their order, `size` rows at a time."""
    return _collect(model, loader, rows, size, (model, model.outputs))


def embed(model: FusionModel, loader: Loader, rows: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.float32]:
    """Compute the fused vectors (n, d) of some rows, in their order, `size` rows at a time."""
    return _collect(model, loader, rows, size, (lambda batch: model.fuse(*model.encode(batch)), model.fusion.width))


def _collect(
    model: FusionModel,
    loader: Loader,
    rows: npt.NDArray[np.int64],
    size: int,
    answer: tuple[Callable[[Batch], Tensor], int],
) -> npt.NDArray[np.float32]:
    """Apply a function to some rows, batch by batch; rows that cannot be read keep zeros."""
    function, width = answer
    model.eval()
    result = torch.zeros(len(rows), width)
    with torch.inference_mode():
        for places, batch in loader.by_length(rows, size):
            result[places] = function(batch).float().cpu()
    return result.numpy()
