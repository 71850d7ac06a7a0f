"""Width and height of images, before they are resized."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sensorium.findings import Guess
from sensorium.modalities._files import Source, looks_like_files
from sensorium.modalities._measures import Measures
from sensorium.modalities._pictures import upright_size
from sensorium.modalities.image import SUFFIXES, is_picture
from sensorium.table import Column


class ImageSize(Measures):
    """Size of an image in pixels, a view of a column of images that is requested by name: `photo.size`.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = ("width in pixels", "height in pixels")

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, SUFFIXES, is_picture, "image")
        return guess and replace(guess, confidence=0.05)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        return upright_size(source)
