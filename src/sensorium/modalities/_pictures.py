"""Open image files, with a short reason for every failure; HEIC is read if its decoder is installed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.ExifTags import Base

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.modalities._heic import HEIC_CURE, NO_HEIC, can_read_heic, is_heif, register_heic
from sensorium.modalities._levels import Kind, Values
from sensorium.modalities._pixels import Alpha, colour_values, grey_values, is_colour, kind_of

MOST_PIXELS = 100_000_000  # of a file read before options are known; the default of the option max_pixels
ANY_SIZE = 2**62  # pixels
ON_ITS_SIDE = (5, 6, 7, 8)  # EXIF orientations that swap width and height
FRAMES = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")  # formats whose further frames are not thumbnails, depth maps or layers


class Look(NamedTuple):
    """Header of an image file.

    Attributes:
        kind: type of the values of an image with more than 8 bits.
        several: whether there are further frames of the same size.
    """

    width: int
    height: int
    mode: str
    kind: Kind | None
    several: bool


def look(source: Source, max_pixels: int) -> Look:
    """Read the header only. Raises the same errors as `opened`."""
    with opened(source, max_pixels) as picture:
        mode, kind, size = picture.mode, kind_of(picture), picture.size
        return Look(*size, mode, kind, _has_several(picture, size))


def upright_size(source: Source) -> tuple[float, float]:
    """Read width and height after the EXIF rotation, from the header only. Raises the same errors as `opened`."""
    with opened(source, ANY_SIZE) as picture:
        # Pillow rotates TIFF itself, and would decode a PNG file without EXIF data at its start in search of them.
        without = picture.format == "TIFF" or (picture.format == "PNG" and "exif" not in picture.info)
        exif = {} if without else picture.getexif()
        width, height = map(float, picture.size)
    return (height, width) if exif.get(Base.Orientation) in ON_ITS_SIDE else (width, height)


@contextmanager
def opened(source: Source, max_pixels: int) -> Iterator[Pillow.Image]:
    """Open an image and close it again; every error becomes Unreadable.

    Raises:
        Unreadable: the file is truncated, damaged, too large, not an image, or HEIC without its decoder.
    """
    try:
        with open_picture(source) as picture:
            _refuse_bombs(picture, max_pixels)
            yield picture
    except Unreadable:
        raise
    # For damaged files Pillow and its plug-ins raise nearly anything; every error means that decoding failed.
    except Exception as error:  # noqa: BLE001
        raise Unreadable(_reason(error)) from None


def open_picture(source: Source) -> Pillow.Image:
    """Open an image with Pillow, HEIC with pillow-heif.

    Raises:
        Unreadable: HEIC without its decoder.
    """
    try:
        return Pillow.open(source)
    except UnidentifiedImageError:
        if "HEIF" in Pillow.OPEN or not is_heif(_head(source)):
            raise
    if not can_read_heic():
        raise Unreadable(NO_HEIC, HEIC_CURE)
    register_heic()
    return Pillow.open(source)


def deep_values(picture: Pillow.Image, source: Source) -> tuple[Values, Alpha | None]:
    """Return values of an open image with more than 8 bits, upright, and its alpha; NaN for missing pixel values."""
    if not is_colour(picture):
        return grey_values(picture), None
    with open_picture(source) as again:
        return colour_values(picture, again)


def _head(source: Source) -> bytes:
    if isinstance(source, io.BytesIO):
        return bytes(source.getbuffer()[:12])
    with source.open("rb") as stream:
        return stream.read(12)


def _has_several(picture: Any, size: tuple[int, int]) -> bool:
    """Return whether there is a second frame as large as the first: smaller ones are previews."""
    if picture.format not in FRAMES or not getattr(picture, "is_animated", False):
        return False
    picture.seek(1)
    return bool(picture.size == size)


def _refuse_bombs(picture: Pillow.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        cure = "raise the option max_pixels of the image modality if the file is right"
        raise Unreadable(f"the image has {width} × {height} pixels, over the limit of {max_pixels:,}", cure)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image in a supported format"
    if isinstance(error, Pillow.DecompressionBombError | Pillow.DecompressionBombWarning):
        return "the image has more pixels than are safe to decode"
    # Without details in brackets such as byte counts, so that equal errors are grouped.
    return f"the image is damaged ({re.sub(r' *[(][^)]*[)]', '', str(error)) or type(error).__name__})"
