"""Convolutional network on a log-mel spectrogram."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Odd, Sizes
from sensorium.encoders._base import conv_block, initialise, padded_zero

ACCEPTS = ("audio", "sounds")


class AudioCNN(nn.Module):
    """Convolutional network over time and frequency, a much smaller version of Hershey et al. 2017 (arXiv:1609.09430).

    One second, 64 mel bands, filters (16, 32, 64): (b, 104, 64) → (b, 16, 52, 32) → (b, 32, 26, 16) → (b, 64, 13, 8) →
    mean and maximum over frequency → 13 tokens of width 128; the summary is their mean.

    Args:
        mels: number of mel bands.
        filters: number of filters of each layer.
        kernel: filter size in frames and bands.
        stem: how the first and largest layer halves its map; `stride` runs three times as fast as `pool`.
        norm: whether each layer has batch normalisation.
    """

    def __init__(
        self,
        mels: int,
        *,
        filters: Sizes = (16, 32, 64),
        kernel: Odd = 3,
        stem: Literal["pool", "stride"] = "stride",
        norm: bool = True,
    ) -> None:
        super().__init__()
        self.width = 2 * filters[-1]
        self.blocks = nn.ModuleList(
            conv_block(inside, outside, kernel, stem if inside == 1 else "pool", norm)
            for inside, outside in zip([1, *filters], filters, strict=False)
        )
        self.stride = 2 ** len(filters)  # frames and bands that become one
        initialise(self)

    def forward(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        more = -cells.values.shape[1] % self.stride  # a clip gives as many tokens whatever it is batched with
        return self._encode(nn.functional.pad(cells.values, (0, 0, 0, more)), cells.mask.sum(1))

    def dense(self, cells: Cells) -> Tokens:
        """Pad by one token, so that no clip is too short for the layers of an exported graph."""
        assert cells.mask is not None
        more = self.stride * (2 + cells.values.shape[1] // self.stride) - cells.values.shape[1]
        return self._encode(nn.functional.pad(cells.values, (0, 0, 0, more)), cells.mask.sum(1))

    def _encode(self, frames: Tensor, lengths: Tensor) -> Tokens:
        # At least as many bands as become one.
        maps = nn.functional.pad(frames, (0, max(0, self.stride - frames.shape[2])))[:, None]  # (b, 1, t, mels)
        mask = _first(lengths, maps)
        for block in self.blocks:
            # Padding is blanked before every layer, so that a clip's neighbours in the batch don't change it.
            maps = block(maps * mask[:, None, :, None])
            lengths = (lengths + 1) // 2  # a step is real where the first of its two was
            mask = _first(lengths, maps)
        values = torch.cat([maps.mean(3), maps.amax(3)], 1).transpose(1, 2)  # (b, t', 2f)
        return Tokens(padded_zero(mask, values), mask)


def _first(lengths: Tensor, maps: Tensor) -> Tensor:
    """Return the mask (b, t) of maps (b, f, t, bands): True for the first `lengths` steps of each row."""
    return torch.arange(maps.shape[2], device=maps.device) < lengths[:, None]
