"""Embedding and multilayer perceptron (MLP) for numbers, dates, booleans and categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn

from sensorium.batch import Cells, PackedCells, Tokens
from sensorium.config import Fraction
from sensorium.encoders._base import pack_groups
from sensorium.encoders._cell_embeddings import CategoryEmbedding, number_embedding
from sensorium.modalities import EncoderSpec

ACCEPTS = (
    "number", "category", "boolean", "date", "geo", "scan_tag", "censored", "scan_size", "image_size", "video_size",
    "audio_duration", "document_length",
)  # fmt: skip
JOINT = True
# Features above which the learning rate of the first layer falls in proportion (Yang and Hu 2021, arXiv:2011.14522): a
# step of Adam changes each weight by the learning rate, so outputs change in proportion to the number of features.
WIDE = 4096


class Tabular(nn.Module):
    """Embedded columns and a multilayer perceptron (Gorishniy et al. 2021; 2022, arXiv:2203.05556).

    Numbers are standardised, and each has an indicator of presence. `linear` adds nothing, `periodic` adds sines and
    cosines of learned frequencies, `piecewise` adds the position in each quantile bin of the training rows. A missing
    category has its own embedding.
    Numbers (b, f), codes (b, c) → features → layers → one token (b, 1, width).

    Args:
        columns: encoder specification of each column: `floats` (and `edges`) or `levels`.
        numeric: embedding of numbers: `linear`, `periodic` or `piecewise`.
        frequencies: number of frequencies of the periodic embedding.
        category: width of the embedding of a category.
        layers: widths of the layers of the perceptron.
        dropout: dropout probability after each layer.
    """

    def __init__(
        self,
        columns: Sequence[EncoderSpec],
        *,
        numeric: Literal["linear", "periodic", "piecewise"] = "piecewise",
        frequencies: PositiveInt = 8,
        category: PositiveInt = 8,
        layers: tuple[PositiveInt, ...] = (64,),
        dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        levels = [encoder_spec["levels"] for encoder_spec in columns if "levels" in encoder_spec]
        floats = [encoder_spec for encoder_spec in columns if "floats" in encoder_spec]
        places = {kind: [i for i, one in enumerate(columns) if kind in one] for kind in ("floats", "levels")}
        self.groups = list(places.values())
        self.numbers = number_embedding(floats, numeric, frequencies)
        self.codes = CategoryEmbedding(levels, category)
        size = self.numbers.width + self.codes.width
        parts: list[nn.Module] = []
        for inside, outside in zip([size, *layers], layers, strict=False):
            parts += [nn.Linear(inside, outside), nn.ReLU(), nn.Dropout(dropout)]
        if layers and size > WIDE:
            parts[0].weight.rate = WIDE / size  # type: ignore[union-attr]  # read by the optimiser
        self.layers = nn.Sequential(*parts)
        self.width = layers[-1] if layers else size

    def forward(self, *cells: Cells | PackedCells) -> Tokens:
        numbers, codes = pack_groups(cells, self.groups)
        return Tokens.of_vector(self.layers(torch.cat([self.numbers(numbers), self.codes(codes)], 1)))
