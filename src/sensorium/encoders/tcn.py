"""Temporal convolutional network (TCN): dilated causal convolutions on time series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Fraction
from sensorium.encoders._base import initialise, padded_zero
from sensorium.encoders._steps import align, last_step
from sensorium.modalities import EncoderSpec

ACCEPTS = ("series",)
JOINT = True
MOST_LAYERS = 8  # by default: with a kernel of 3 they see 1,021 steps


class TCN(nn.Module):
    """Temporal convolutional network (Bai et al. 2018, arXiv:1803.01271), without weight normalisation.

    Each layer has two causal convolutions with dilation 2^i (layer i) and a residual connection. The token of a step
    depends on that step and those before it; the summary is the token of the last step: series (b, t, f) → layers →
    tokens (b, t, size), summary (b, size).

    Args:
        columns: encoder specification of each column: `channels`, `steps`.
        size: number of filters of each layer.
        kernel: kernel size of a convolution.
        layers: number of layers; by default as many as the last step needs to cover the longest training series, at
            most 8.
        dropout: dropout probability after each convolution.
    """

    def __init__(
        self,
        columns: Sequence[EncoderSpec],
        *,
        size: PositiveInt = 32,
        kernel: Annotated[PositiveInt, Field(ge=2)] = 3,
        layers: Depth | None = None,
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.width = size
        features = sum(2 * encoder_spec["channels"] for encoder_spec in columns)
        layers = layers or layers_to_see(max(encoder_spec["steps"] for encoder_spec in columns), kernel)
        self.layers = nn.ModuleList(
            _Layer(size if depth else features, size, kernel, 2**depth, dropout) for depth in range(layers)
        )
        initialise(self)

    def forward(self, *cells: Cells) -> Tokens:
        steps, mask = align(cells)
        maps = steps.transpose(1, 2)  # (b, f, t)
        for layer in self.layers:
            maps = layer(maps)
        values = padded_zero(mask, maps.transpose(1, 2))
        return Tokens(values, mask, last_step(values, mask))


def layers_to_see(steps: int, kernel: int) -> int:
    """Return the number of layers that cover a number of steps: l layers cover 1 + 2·(kernel − 1)·(2^l − 1)."""
    layers = 1
    while layers < MOST_LAYERS and 1 + 2 * (kernel - 1) * (2**layers - 1) < steps:
        layers += 1
    return layers


class _Layer(nn.Module):
    """Causal residual layer, relu(x + f(x)): only the start is padded, so a step does not depend on later ones."""

    def __init__(self, inside: int, outside: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.before = (kernel - 1) * dilation
        self.first = nn.Conv1d(inside, outside, kernel, dilation=dilation)
        self.second = nn.Conv1d(outside, outside, kernel, dilation=dilation)
        self.match = nn.Conv1d(inside, outside, 1) if inside != outside else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, maps: Tensor) -> Tensor:
        found = maps
        for convolution in (self.first, self.second):
            found = self.dropout(convolution(nn.functional.pad(found, (self.before, 0))).relu())
        return torch.relu(self.match(maps) + found)
