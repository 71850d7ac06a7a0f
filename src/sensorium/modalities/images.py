"""Several images per cell: a set, such as the photos of a house or the views of a product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, NonNegativeInt

from sensorium.config import Many, Side
from sensorium.findings import Guess, Problem
from sensorium.modalities._base import EncoderSpec
from sensorium.modalities._encoded import Array, Encoded, Ragged, Work
from sensorium.modalities._fields import Channels, Fit, MaxPixels
from sensorium.modalities._scales import SavedScales, check_scales
from sensorium.modalities._several import (
    flat_cells,
    fuller_cells,
    fuller_findings,
    looks_like_several,
    problems_of_cells,
    usual_count,
)
from sensorium.modalities._sides import Square
from sensorium.modalities.image import Image
from sensorium.table import Column

MOST = 16  # images kept per cell by default, at most


@dataclass(frozen=True)
class Images(Square):
    """An unordered set of images: a list of paths (or of bytes), as a list cell or as JSON text.

    Encodes to Ragged uint8[total images, size, size, channels]. An unreadable image is skipped with a reason; a cell
    without any readable image is missing.

    Attributes:
        size, channels, fit, ground, max_pixels, scales, seen, by_file: as in image.
        most: images kept per cell; the rest is cut.
        cells, fuller: number of training cells, and how many of them have more images than are kept.
    """

    encoder: ClassVar[str] = "frames_cnn"
    cacheable: ClassVar[bool] = True
    decoders: ClassVar[tuple[str, ...]] = Image.decoders

    size: Side
    channels: Channels
    fit: Fit
    ground: Annotated[int, Field(ge=0, le=255)]
    max_pixels: MaxPixels
    most: Many
    scales: SavedScales = field(default_factory=dict)
    seen: Mapping[str, NonNegativeInt] = field(default_factory=dict)
    by_file: bool = False
    cells: NonNegativeInt = 0
    fuller: NonNegativeInt = 0

    def check(self) -> None:
        check_scales(self.scales)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return looks_like_several(column, Image)

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: Side | None = None,
        channels: Channels | None = None,
        fit: Fit = "stretch",
        background: Annotated[int, Field(ge=0, le=255)] = 255,
        max_images: Many | None = None,
        levels: tuple[float, float] | None = None,
    ) -> Self:
        """Learn the size, the channels, and the number of images kept.

        Args:
            column: training rows.
            size: side in pixels; by default the median shorter side of the training images, between 16 and 64;
                smaller for large tables, at least 32.
            channels: 1 for grey, 3 for RGB; by default 1 if all sampled training images are grey.
            fit: stretch to a square, pad it, or crop its middle.
            background: grey value 0–255 for transparent pixels, pixels without a value, and padding.
            max_images: images kept per cell; by default the largest number in a training cell, at most 16.
            levels: values of images with more than 8 bits that become black and white; by default learned from the
                training images.
        """
        flat, owners = flat_cells(column)
        one = Image.learn(flat, size=size, channels=channels, fit=fit, background=background, levels=levels)
        most = max_images or usual_count(owners, MOST)
        kept = (one.size, one.channels, one.fit, one.ground, one.max_pixels, most, one.scales, one.seen)
        return cls(*kept, False, *fuller_cells(owners, most))

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        return super().restore({"by_file": "scales" not in json, **json}, arrays)

    @property
    def _picture(self) -> Image:
        plain = (self.size, self.channels, self.fit, self.ground, self.max_pixels)
        return Image(*plain, self.scales, self.seen, self.by_file)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        flat, owners = flat_cells(column, self.most)
        pictures = self._picture.encode(flat, Work(work.workers))
        there, values = pictures.present, np.asarray(pictures.values)
        counts = np.bincount(owners[there], minlength=len(column))
        work.advance(len(column))
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        told = problems_of_cells(pictures.problems, owners, column, "images")
        return Encoded(Ragged(values[there], offsets), counts > 0, told)

    @property
    def pixels(self) -> int:
        return self.most * self.size**2

    def encoder_spec(self) -> EncoderSpec:
        return {"channels": self.channels, "size": self.size, "ordered": False}

    def describe(self) -> str:
        return f"at most {self.most} images of {self._picture.describe()}"

    def findings(self, column: str) -> list[Problem]:
        cut = fuller_findings(column, "images", (self.cells, self.fuller), self.most, option="max_images")
        return self._picture.findings(column) + cut
