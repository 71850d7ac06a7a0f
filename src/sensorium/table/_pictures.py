"""Encode images in memory as files, because image modalities read files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

CHANNELS = (1, 3, 4)
DEEP = np.uint16
AS_THEY_ARE = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # modes of Pillow that PNG keeps
IN_TIFF = ("I", "F", "CMYK")  # modes that TIFF keeps

Array = npt.NDArray[Any]


def is_picture(value: object) -> bool:
    """Return whether the value is a Pillow image, by type name, without importing Pillow."""
    return any(kind.__module__ == "PIL.Image" and kind.__name__ == "Image" for kind in type(value).__mro__)


def picture_bytes(picture: Any) -> bytes:
    """Return PNG, or TIFF if PNG would lose information; None for a damaged image, which is reported later."""
    stream = io.BytesIO()
    try:
        if picture.mode in IN_TIFF:
            picture.save(stream, "TIFF")
        else:
            (picture if picture.mode in AS_THEY_ARE else picture.convert("RGB")).save(stream, "PNG", compress_level=1)
    except (OSError, ValueError, SyntaxError):
        return b""
    return stream.getvalue()


def as_pixels(array: Array, *, channels_first: bool) -> Array | None:
    """Return an image array as uint8 or uint16 [height, width] or [height, width, channels]; None for other arrays.

    Two dimensions of bytes are a grey image; with three dimensions, 1, 3 or 4 channels are last (NumPy) or first
    (PyTorch). Numbers from 0 to 1 are pixels only in three dimensions; two dimensions are a series.

    Args:
        array: one cell.
        channels_first: whether the first axis has the channels if both the first and the last could have them.
    """
    flat, kind = array.ndim == 2, array.dtype.kind
    if array.ndim not in (2, 3) or not array.size or not (flat or {array.shape[0], array.shape[-1]} & set(CHANNELS)):
        return None
    array = array if flat else _channels_last(array, first=channels_first)
    array = array[:, :, 0] if not flat and array.shape[2] == 1 else array
    if kind == "b":
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint8 or (array.dtype == DEEP and array.ndim == 2):
        return array
    if kind == "f" and not flat and array.min() >= 0 and array.max() <= 1:
        return np.round(array * 255).astype(np.uint8)
    return None


def pixel_bytes(pixels: Array) -> bytes:
    """Return a PNG file of the pixels of `as_pixels`."""
    from PIL import Image

    return picture_bytes(Image.fromarray(np.ascontiguousarray(pixels)))


def _channels_last(array: Array, *, first: bool) -> Array:
    at_front, at_end = array.shape[0] in CHANNELS, array.shape[-1] in CHANNELS
    return np.moveaxis(array, 0, -1) if at_front and (first or not at_end) else array
