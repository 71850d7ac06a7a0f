"""A picture network over every picture of a cell, and over their order where they have one."""

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
    """Every picture through one convolutional network, then convolutions over time.

    (b, t, 64, 64, 3) → of each real picture 64 features, the mean and maximum of its last map: (b, t, 128); a
    video's go through `temporal` residual convolutions over neighbouring pictures; t tokens of width 128. Pictures
    without an order see nothing of each other. The summary is the mean of the tokens.

    Args:
        channels: 1 or 3.
        size: side of the pictures in pixels.
        ordered: they follow each other in time.
        filters: maps of each layer of the picture network.
        temporal: convolutions over time.
        kernel: pictures that each of them sees.
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
        """Encode the pictures of the padding, too, and blank them."""
        assert cells.mask is not None
        found = self._features(cells.values.flatten(0, 1), cells.mask.flatten())  # (b·t, width)
        return self._in_time(padded_zero(cells.mask, found.unflatten(0, cells.mask.shape)), cells.mask)

    def _features(self, pictures: Tensor, present: Tensor) -> Tensor:
        """Pictures (n, h, w, c) → (n, width)."""
        maps = self.picture(Cells(pictures, present)).values  # (n, places, f)
        return torch.cat([maps.mean(1), maps.amax(1)], 1)

    def _in_time(self, values: Tensor, mask: Tensor) -> Tokens:
        for layer in self.temporal:
            values = padded_zero(mask, values + layer(values.transpose(1, 2)).transpose(1, 2).relu())
        return Tokens(values, mask)
