"""Convolutions over a log-mel spectrogram."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Odd, Sizes
from sensorium.encoders._base import conv_block, initialise, padded_zero

ACCEPTS = ("audio", "sounds")


class AudioCNN(nn.Module):
    """A convolutional network over time and frequency, after Hershey et al. 2017 (arXiv:1609.09430), much smaller.

    One second, 64 mel bands, filters (16, 32, 64): (b, 104, 64) → (b, 16, 52, 32) → (b, 32, 26, 16) → (b, 64, 13, 8) →
    mean and maximum over frequency → 13 tokens of width 128; the summary is their mean.

    Args:
        mels: mel bands.
        filters: maps of each layer.
        kernel: side of a filter in frames and bands.
        stem: how the first layer, which has the most places, halves them: a stride takes a third of the time.
        norm: batch normalisation in each layer.
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
        frames, mask = _pad_to(self.stride, cells.values, cells.mask)
        maps = frames[:, None]  # (b, 1, t, mels)
        for block in self.blocks:
            # Padding is blanked before every layer, so that a clip's neighbours in the batch don't change it.
            maps = block(maps * mask[:, None, :, None])
            mask = _halve(mask)
        values = torch.cat([maps.mean(3), maps.amax(3)], 1).transpose(1, 2)  # (b, t', 2f)
        return Tokens(padded_zero(mask, values), mask)


def _pad_to(stride: int, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Pad time to a multiple of the stride: a clip gives as many tokens whatever it is batched with; bands to one."""
    steps, bands = frames.shape[1:]
    more_steps, more_bands = -steps % stride, max(0, stride - bands)
    return nn.functional.pad(frames, (0, more_bands, 0, more_steps)), nn.functional.pad(mask, (0, more_steps))


def _halve(mask: Tensor) -> Tensor:
    """(b, t) → (b, t / 2): a step is real where the first of its two was."""
    return mask[:, ::2]
