"""Schema + encoders + fusion + head → one `nn.Module`: wiring only."""

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
    """Columns that are encoded together, and by what. A tower is what fusions and reports call a modality."""

    name: str
    columns: list[str]
    encoder: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Blueprint:
    """Everything needed to build the network again, as JSON values."""

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
    """An encoder and the projection of its tokens to what the fusion takes."""

    def __init__(self, name: str, columns: Sequence[str], encoder: Encoder, project: nn.Module) -> None:
        super().__init__()
        self.name, self.columns = name, tuple(columns)
        self.encoder, self.project = encoder, project
        self.reads_features = False  # instead of cells: what the encoder's `features` gave, computed beforehand

    def present(self, batch: Batch) -> Bool[Tensor, " b"]:
        """A modality is there where one of its columns is."""
        return torch.stack([batch.cells[name].present for name in self.columns]).any(0)

    def forward(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode the rows to keep; the others get no token, whatever their cells hold."""
        cells = [batch.cells[name] for name in self.columns]
        if bool(keep.all()):
            return self._encode(cells, tokens)
        rows = keep.nonzero().squeeze(1)
        if not len(rows):
            return Tokens(self._nothing(keep), keep[:, None])
        return self._encode([c.take(rows) for c in cells], tokens).scatter(rows, len(keep))

    def forward_dense(self, batch: Batch, keep: Bool[Tensor, " b"], tokens: bool) -> Tokens:
        """Encode every row and mask those not to keep: the tokens of `forward`, with no control flow that depends on
        data. For evaluation only.
        """
        return self._encode([batch.cells[name].fill(keep) for name in self.columns], tokens, dense=True).only(keep)

    def _encode(self, cells: Sequence[Cells], tokens: bool, dense: bool = False) -> Tokens:
        encode: Any = getattr(self.encoder, "dense", self.encoder) if dense else self.encoder
        found = self.encoder.from_features(*cells) if self.reads_features else encode(*cells)  # type: ignore[attr-defined]
        if tokens:
            return Tokens(self.project(found.values), found.mask)
        return Tokens.of_vector(self.project(found.pooled()))

    def _nothing(self, keep: Tensor) -> Tensor:
        width = getattr(self.project, "out_features", self.encoder.width)
        return torch.zeros(len(keep), 1, width, device=keep.device)


class FusionModel(nn.Module):
    """Towers → fusion → head: `encode`, `fuse` and `head`, one after the other.

    Args:
        towers: one for each modality.
        fusion: takes as many modalities.
        head: maps the fused vector to logits; the identity after decision-level fusion, which fuses logits.
        outputs: number of logits.
    """

    def __init__(self, towers: Sequence[Tower], fusion: Fusion, head: nn.Module, *, outputs: int) -> None:
        super().__init__()
        self.towers = nn.ModuleList(towers)
        self.fusion, self.head, self.outputs = fusion, head, outputs
        self.frozen_modules: tuple[nn.Module, ...] = ()  # parts that stay in evaluation mode while others train

    def train(self, mode: bool = True) -> FusionModel:
        """Training mode, but for the parts that rest."""
        super().train(mode)
        for part in self.frozen_modules:
            part.eval()
        return self

    def forward(self, batch: Batch, hide: Bool[Tensor, "b m"] | None = None) -> Float[Tensor, "b k"]:
        """Logits; `hide` takes modalities away from rows as if they were missing."""
        return self.decide(*self.encode(batch, hide))

    def forward_dense(self, batch: Batch) -> Float[Tensor, "b k"]:
        """The logits of `forward` for export: every row passes every encoder, and masks hide what is missing.

        In evaluation mode only. A row without any modality gets NaN or an arbitrary number; the caller replaces it.
        """
        return self.decide(*self.encode_dense(batch))

    def encode(self, batch: Batch, hide: Bool[Tensor, "b m"] | None = None) -> tuple[list[Tokens], Bool[Tensor, "b m"]]:
        """Encode each modality in the rows that have it; returns the tokens and which rows have which modality."""
        present = self.present(batch) if hide is None else self.present(batch) & ~hide
        every_token = self.fusion.level == "token"
        return [tower(batch, present[:, i], every_token) for i, tower in enumerate(self.every_tower)], present

    def encode_dense(self, batch: Batch) -> tuple[list[Tokens], Bool[Tensor, "b m"]]:
        """The tokens of `encode`, with no control flow that depends on data."""
        present, every_token = self.present(batch), self.fusion.level == "token"
        towers = enumerate(self.every_tower)
        return [tower.forward_dense(batch, present[:, i], every_token) for i, tower in towers], present

    def fuse(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
        """Fuse the modalities that are present into one vector.

        Decision-level fusion has no vector before the logits: its result is the fused logits themselves.
        """
        return self.fusion(list(tokens), present)

    def decide(self, tokens: Sequence[Tokens], present: Bool[Tensor, "b m"]) -> Float[Tensor, "b k"]:
        """Fuse the modalities that are present and map the result to logits."""
        return self.head(self.fuse(tokens, present))

    @contextmanager
    def reading_features(self, towers: Collection[str]) -> Iterator[None]:
        """Within, some towers are given features that were computed beforehand."""
        for tower in self.every_tower:
            tower.reads_features = tower.name in towers
        try:
            yield
        finally:
            for tower in self.every_tower:
                tower.reads_features = False

    def modality_weights(self, batch: Batch) -> Float[Tensor, "b m"] | None:
        """How much each modality counts in each row, where the fusion has such weights."""
        return self.fusion.modality_weights(*self.encode(batch))

    def present(self, batch: Batch) -> Bool[Tensor, "b m"]:
        """Which modalities each row has."""
        return torch.stack([tower.present(batch) for tower in self.every_tower], 1)

    @property
    def parts(self) -> list[tuple[str, nn.Module]]:
        """The towers by their names, then `fusion` and `head`."""
        others: list[tuple[str, Any]] = [("fusion", self.fusion), ("head", self.head)]
        return [*((tower.name, tower) for tower in self.every_tower), *others]

    @property
    def every_tower(self) -> list[Tower]:
        """The towers, as what they are."""
        return [tower for tower in self.towers if isinstance(tower, Tower)]

    def tower(self, name: str) -> Tower:
        """The one of that name."""
        return next(tower for tower in self.every_tower if tower.name == name)


def index_map(old: Tensor, new: Tensor, logits: Tensor, sizes: tuple[int, int]) -> tuple[Tensor, ...]:
    """Index by which a weight of a larger model gives what stands for another model's.

    Args:
        old: weight of a model of `sizes[0]` logits.
        new: the same weight where there are `sizes[1]`, in other respects the same.
        logits: int64[k], where each of the old logits is now.
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
    """Apply a function and the width of its result to some rows; a row that turns out unreadable keeps zeros."""
    function, width = answer
    model.eval()
    found = torch.zeros(len(rows), width)
    with torch.inference_mode():
        for places, batch in loader.by_length(rows, size):
            found[places] = function(batch).float().cpu()
    return found.numpy()
