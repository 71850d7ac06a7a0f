"""Orientation of a video: its display matrix rotates and mirrors the stored frames, in eight ways."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av import VideoFrame

MATRIX = "DISPLAYMATRIX"
SIZE = 36  # bytes of nine fixed-point numbers


def upright(pixels: Any, frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """Rotate [height, width, channels] as stored to the display orientation.

    Angles that are not multiples of 90° use the nearest of the eight orientations.
    """
    matrix = _matrix(frame)
    if matrix is None:
        return pixels
    # The pixel stored at (x, y) is shown at (a x + c y, b x + d y), up to a shift.
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        across, down = a < 0, d < 0
    else:
        pixels, across, down = pixels.swapaxes(0, 1), c < 0, b < 0
    return np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if across else 1])


def _matrix(frame: VideoFrame) -> tuple[int, int, int, int] | None:
    found: Any = frame.side_data.get(MATRIX)
    data = b"" if found is None else bytes(found)
    if len(data) < SIZE:
        return None
    numbers = struct.unpack("=9i", data[:SIZE])
    a, b, c, d = numbers[0], numbers[1], numbers[3], numbers[4]
    return (a, b, c, d) if a * d != b * c else None
