"""Word dropout: replace some words of a text by the unknown token."""

from __future__ import annotations

from torch import Generator, Tensor

from sensorium.augment._base import Augmentation, uniform
from sensorium.batch import Cells
from sensorium.config import Probability

ACCEPTS = ("text", "document")
UNKNOWN = 1  # the id, in texts and documents, of a token that it doesn't know


class TokenDropout(Augmentation):
    """Word dropout (Iyyer et al. 2015, "Deep Unordered Composition"), here as in Bowman et al. 2015 (arXiv:1511.06349):
    a dropped token becomes the unknown one, so that the model learns its embedding, and the others keep their
    positions; in EDA (Wei and Zou 2019, arXiv:1901.11196) they move up.

    Args:
        probability: probability that a row is changed.
        dropout: probability that a token of such a row is replaced.
    """

    def __init__(self, *, probability: Probability = 1.0, dropout: Probability = 0.1) -> None:
        super().__init__(probability)
        self.dropout = dropout

    def change(self, cells: Cells, random: Generator) -> Tensor:
        return cells.values.masked_fill(uniform(0.0, 1.0, cells.values.shape, random) < self.dropout, UNKNOWN)
