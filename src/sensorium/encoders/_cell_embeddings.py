"""Embeddings of numbers and categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sensorium.batch import PackedCells
from sensorium.modalities import EncoderSpec


def number_embedding(columns: Sequence[EncoderSpec], kind: str, frequencies: int) -> _Numbers:
    if kind == "periodic":
        return _Periodic(columns, frequencies)
    return _Piecewise(columns) if kind == "piecewise" else _Numbers(columns)


class _Numbers(nn.Module):
    """Return standardised values and indicators of presence: (b, f + number of columns)."""

    def __init__(self, columns: Sequence[EncoderSpec]) -> None:
        super().__init__()
        self.count = sum(encoder_spec["floats"] for encoder_spec in columns)
        self.width = self.count + len(columns)

    def forward(self, cells: PackedCells) -> Tensor:
        if not self.width:
            return cells.values
        # Clip outliers, so that they do not dominate.
        bounded = cells.values.clamp(-10, 10)
        return torch.cat([bounded, cells.present.float(), self.embed(cells.values)], 1)

    def embed(self, values: Tensor) -> Tensor:
        return values[:, :0]


class _Periodic(_Numbers):
    """Append sin and cos of 2π·c·x with learned c ~ N(0, 0.1²): (b, f · 2k)."""

    def __init__(self, columns: Sequence[EncoderSpec], frequencies: int) -> None:
        super().__init__(columns)
        self.frequencies = nn.Parameter(0.1 * torch.randn(self.count, frequencies))
        self.width += 2 * frequencies * self.count

    def embed(self, values: Tensor) -> Tensor:
        angles = 2 * torch.pi * values[..., None] * self.frequencies  # (b, f, k)
        return torch.cat([angles.sin(), angles.cos()], 2).flatten(1)


class _Piecewise(_Numbers):
    """Append the position of the value in each quantile bin, from 0 to 1: (b, bins of all columns)."""

    low: Tensor
    span: Tensor
    place: Tensor

    def __init__(self, columns: Sequence[EncoderSpec]) -> None:
        super().__init__(columns)
        edges = [
            np.asarray(encoder_spec.get("edges", ()), np.float32)
            for encoder_spec in columns
            for _ in range(encoder_spec["floats"])
        ]
        low = np.concatenate([e[:-1] for e in edges]) if edges else np.zeros(0, np.float32)
        high = np.concatenate([e[1:] for e in edges]) if edges else np.zeros(0, np.float32)
        place = np.concatenate([np.full(max(0, len(e) - 1), i) for i, e in enumerate(edges)]) if edges else np.zeros(0)
        self.register_buffer("low", torch.from_numpy(low))
        self.register_buffer("span", torch.from_numpy(high - low))
        self.register_buffer("place", torch.from_numpy(place.astype(np.int64)))
        self.width += len(low)

    def embed(self, values: Tensor) -> Tensor:
        return ((values.index_select(1, self.place) - self.low) / self.span).clamp(0, 1)


class CategoryEmbedding(nn.Module):
    """Embed all categories with one table: a row per level, and per column for "missing". Returns (b, c · width)."""

    start: Tensor
    missing: Tensor

    def __init__(self, levels: Sequence[int], width: int) -> None:
        super().__init__()
        sizes = np.array([n + 1 for n in levels], np.int64)
        ends = sizes.cumsum()  # by NumPy: on the device `meta`, torch would import its compiler for it
        self.register_buffer("start", torch.from_numpy(ends - sizes))
        self.register_buffer("missing", torch.from_numpy(ends - 1))
        self.embed = nn.Embedding(sum(n + 1 for n in levels), width)
        nn.init.normal_(self.embed.weight, std=0.3)
        self.width = width * len(levels)

    def forward(self, cells: PackedCells) -> Tensor:
        if not self.width:
            return cells.values
        return self.embed(torch.where(cells.present, cells.values + self.start, self.missing)).flatten(1)
