"""Fast decoding of plain JPEG files by libjpeg-turbo's own interface, bit for bit as Pillow does."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

START = b"\xff\xd8\xff"
TURNS = (b"Exif\0\0", b"http://ns.adobe.com/xap")  # may hold an orientation
PLAIN = ("YCbCr", "Gray")
SMALLEST = 8  # smallest side in pixels for which the scaled sizes of a JPEG differ


def decode_jpeg(source: Path | io.BytesIO, side: int, channels: int, max_pixels: int) -> npt.NDArray[np.uint8] | None:
    """Decode an image at the smallest of 1/8, 1/4, 1/2 and 1/1 of its size with both sides at least `side` pixels.

    Returns:
        uint8[height, width, channels]; None for files left to Pillow: other formats, rotated images, CMYK, damaged
        files, more than `max_pixels`.
    """
    import simplejpeg

    content = _content(source)
    if side < SMALLEST or not content or any(mark in content for mark in TURNS):
        return None
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(content)
        if space not in PLAIN or height * width > max_pixels:
            return None
        least = min(width // side, height // side)
        part = next((part for part in (8, 4, 2) if least >= part), 1)
        high, wide = (-(-height // part), -(-width // part)) if part > 1 else (0, 0)
        pixels = simplejpeg.decode_jpeg(content, "GRAY" if channels == 1 else "RGB", min_height=high, min_width=wide)
    except ValueError:
        return None
    return np.asarray(pixels)


def _content(source: Path | io.BytesIO) -> bytes:
    """Read all of a JPEG file; return nothing for other formats."""
    if isinstance(source, io.BytesIO):
        content = source.getvalue()
        return content if content.startswith(START) else b""
    try:
        with source.open("rb", buffering=0) as stream:
            start = stream.read(len(START))
            return start + stream.read() if start == START else b""
    except OSError:
        return b""
