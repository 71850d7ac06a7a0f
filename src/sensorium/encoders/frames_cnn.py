"""Convolutional network on every image of a cell, then convolutions over time for videos."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.config import Depth, Odd, Sizes
from sensorium.encoders._base import initialise, padded_zero
from sensorium.encoders.image_cnn import ImageCNN

ACCEPTS = ("video", "images", "pages")


class FramesCNN(nn.Module):
    """The same convolutional network for each image, then convolutions over time.

    (b, t, 64, 64, 3) → mean and maximum of the last map of each real image (b, t, 128) → for videos, `temporal`
    residual convolutions over neighbouring frames → t tokens of width 128. Without an order, each image is encoded
    separately. The summary is the mean of the tokens.

    Args:
        channels: 1 or 3.
        size: image size in pixels.
        ordered: whether the images are consecutive frames.
        filters: number of filters of each layer of the image network.
        temporal: number of convolutions over time.
        kernel: number of frames in the kernel of these convolutions.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        ordered: bool,
        *,
        filters: Sizes = (16, 32, 64),
        temporal: Depth | Literal[0] = 1,
        kernel: Odd = 3,
    ) -> None:
        super().__init__()
        self.picture = ImageCNN(channels, size, filters=filters)
        self.width = 2 * filters[-1]
        self.temporal = nn.ModuleList(
            nn.Conv1d(self.width, self.width, kernel, padding="same") for _ in range(temporal if ordered else 0)
        )
        initialise(self)

    def forward(self, cells: Cells) -> Tokens:
        assert cells.mask is not None
        found = self._features(cells.values[cells.mask], cells.mask[cells.mask])  # (real pictures, width)
        values = found.new_zeros(*cells.mask.shape, self.width)
        values[cells.mask] = found
        return self._in_time(values, cells.mask)

    def dense(self, cells: Cells) -> Tokens:
        """Compute the same for export: images of the padding are encoded, too, and set to zero."""
        assert cells.mask is not None
        found = self._features(cells.values.flatten(0, 1), cells.mask.flatten())  # (b·t, width)
        return self._in_time(padded_zero(cells.mask, found.unflatten(0, cells.mask.shape)), cells.mask)

    def _features(self, pictures: Tensor, present: Tensor) -> Tensor:
        """Encode images (n, h, w, c) as vectors (n, width)."""
        maps = self.picture(Cells(pictures, present)).values  # (n, places, f)
        return torch.cat([maps.mean(1), maps.amax(1)], 1)

    def _in_time(self, values: Tensor, mask: Tensor) -> Tokens:
        for layer in self.temporal:
            values = padded_zero(mask, values + layer(values.transpose(1, 2)).transpose(1, 2).relu())
        return Tokens(values, mask)
