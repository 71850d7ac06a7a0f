"""Open image files, with a short reason for every failure; HEIC is read if its decoder is installed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.modalities._levels import Kind, Values
from sensorium.modalities._pixels import Alpha, colour_values, grey_values, is_colour, kind_of

MOST_PIXELS = 100_000_000  # of a file read before options are known; the default of the option max_pixels
FRAMES = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")  # formats whose further frames are not thumbnails, depth maps or layers
HEIC_DECODER = "pillow_heif"
HEIC_SUFFIXES = (".heic", ".heics", ".heif", ".heifs", ".hif")
HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")  # ISO/IEC 23008-12: brands
AVIF = (b"avif", b"avis")
NO_HEIC = "HEIC images need pillow-heif, which is not installed"
HEIC_CURE = "pip install pillow-heif, or convert the files to JPEG or PNG"


_LOST: ContextVar[list[str] | None] = ContextVar("_LOST", default=None)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect the notes on images that this thread decodes in the meantime."""
    lost = list[str]()
    token = _LOST.set(lost)
    try:
        yield lost
    finally:
        _LOST.reset(token)


def add_note(note: str) -> None:
    """Add a note on what an image loses to the list of `listening`; an empty note is ignored."""
    lost = _LOST.get()
    if note and lost is not None:
        lost.append(note)


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
    _register_heic()
    return Pillow.open(source)


def deep_values(picture: Pillow.Image, source: Source) -> tuple[Values, Alpha | None]:
    """Return values of an open image with more than 8 bits, upright, and its alpha; NaN for missing pixel values."""
    if not is_colour(picture):
        return grey_values(picture), None
    with open_picture(source) as again:
        return colour_values(picture, again)


def is_heif(head: bytes) -> bool:
    """Return whether these first bytes are those of an image in an ISO container, such as HEIC and AVIF."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIC + AVIF


def is_heic(value: Any) -> bool:
    """Return whether a cell is an image, or the path of one, that Pillow reads only with a plug-in."""
    if isinstance(value, dict):
        value = value.get("bytes") or value.get("member") or value.get("path")
    if isinstance(value, bytes):
        return value[4:8] == b"ftyp" and value[8:12] in HEIC
    return isinstance(value, str) and value.lower().endswith(HEIC_SUFFIXES)


def can_read_heic() -> bool:
    """Return whether pillow-heif is installed."""
    return find_spec(HEIC_DECODER) is not None


@cache
def _register_heic() -> None:
    import_module(HEIC_DECODER).register_heif_opener()


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
