"""Width and height of images, before they are resized."""

from __future__ import annotations

from typing import ClassVar

from sensorium.modalities._files import Source
from sensorium.modalities._measures import Measures
from sensorium.modalities._pictures import upright_size
from sensorium.modalities.image import SUFFIXES, is_picture


class ImageSize(Measures):
    """Size of an image in pixels, a view of a column of images that is requested by name: `photo.size`.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = ("width in pixels", "height in pixels")
    files: ClassVar[str] = "image"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return is_picture(head)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        return upright_size(source)
