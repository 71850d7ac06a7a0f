"""The mean of embedded words."""

from torch import nn

from sensorium.batch import Tokens

ACCEPTS = ("text",)


class Bag(nn.Module):
    def __init__(self, vocabulary, *, size: int = 16):
        super().__init__()
        self.width, self.embed = size, nn.Embedding(vocabulary, size)

    def forward(self, cells):
        return Tokens(self.embed(cells.values) * cells.mask[..., None], cells.mask)
