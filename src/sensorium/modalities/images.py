"""Several pictures in one cell: a set, such as the photos of a house or the views of a product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import PositiveInt

from sensorium.modalities._base import Encoded, Facts, Modality, Ragged, Work
from sensorium.modalities._files import decode_cells
from sensorium.modalities._several import flat_cells, looks_like_several, problems_of_cells, usual_count
from sensorium.modalities.image import Image
from sensorium.schema import Guess
from sensorium.table import Column

MOST = 16  # pictures kept of a cell by default, at most


@dataclass(frozen=True)
class Images(Modality):
    """Pictures without an order: a list of paths (or of bytes), as a list cell or as JSON text.

    Encodes to Ragged uint8[total pictures, size, size, channels]. A picture that can't be decoded is left out with its
    reason; a cell without any is missing.

    Attributes:
        size, channels, fit: of each picture, as of an image.
        most: pictures of a cell; the rest is cut.
    """

    encoder: ClassVar[str] = "frames_cnn"
    kept: ClassVar[bool] = True

    size: int
    channels: int
    fit: str
    ground: int
    max_pixels: int
    most: int

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return looks_like_several(column, Image)

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: PositiveInt | None = None,
        channels: Literal[1, 3] | None = None,
        fit: Literal["stretch", "pad", "crop"] = "stretch",
        most: PositiveInt | None = None,
    ) -> Self:
        """Args:
        column: training rows.
        size: side in pixels; by default the median shorter side of the training pictures, between 16 and 64.
        channels: 1 grey, 3 RGB; by default 1 where all training pictures looked at are grey.
        fit: stretch to a square, pad it, or crop its middle.
        most: pictures kept of a cell; by default as many as 99% of the training cells have, at most 16.
        """
        flat, owners = flat_cells(column)
        one = Image.learn(flat, size=size, channels=channels, fit=fit)
        return cls(one.size, one.channels, one.fit, one.ground, one.max_pixels, most or usual_count(owners, MOST))

    @property
    def _picture(self) -> Image:
        return Image(self.size, self.channels, self.fit, self.ground, self.max_pixels)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        flat, owners = flat_cells(column, self.most)
        values = np.zeros((len(flat), self.size, self.size, self.channels), np.uint8)
        there, problems = decode_cells(flat, self._picture.decode, Work(work.workers), values.__setitem__)
        counts = np.bincount(owners[there], minlength=len(column))
        work.advance(len(column))
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        told = problems_of_cells(problems, owners, column, "pictures")
        return Encoded(Ragged(values[there], offsets), counts > 0, told)

    def facts(self) -> Facts:
        return {"channels": self.channels, "size": self.size, "ordered": False}

    def describe(self) -> str:
        return f"at most {self.most} pictures of {self._picture.describe()}"
