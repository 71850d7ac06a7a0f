"""Images with more than 8 bits: the values in the file, independent of Pillow's conversion."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageOps

from sensorium.modalities._levels import Kind, Values

HUGE = 1e30  # larger numbers stand for "no value"
UNSIGNED, SIGNED = 1, 2  # TIFF 6.0, section 19: SampleFormat
BITS, FORMAT = 258, 339  # TIFF tags
NODATA = 42_113  # the TIFF tag in which GDAL stores the value of pixels without a value
COLOUR = ("RGB;16", "RGBA;16", "LA;16")

Alpha = npt.NDArray[np.uint8]


def kind_of(picture: Pillow.Image) -> Kind | None:
    """Return the kind of values of an open image that is not loaded yet; None for 8 bits or fewer."""
    if picture.mode == "F":
        return "float"
    deep = picture.mode == "I" or picture.mode.startswith("I;16") or _raw_mode(picture).startswith(COLOUR)
    return "integer" if deep or _is_signed_byte(picture) else None


def grey_values(picture: Pillow.Image) -> Values:
    """Read a single-channel image with more than 8 bits as float32[height, width], upright; NaN for no value."""
    nodata, bits, sign = _tag(picture, NODATA), _tag(picture, BITS), _tag(picture, FORMAT)
    stored = np.asarray(ImageOps.exif_transpose(picture))
    if picture.mode == "I" and bits == 32 and sign == UNSIGNED:
        stored = stored.view(np.uint32)
    elif bits == 8:
        stored = stored.view(np.int8)
    values = stored.astype(np.float32)
    gap = _as_number(nodata)
    if gap is not None:
        values[values == np.float32(gap)] = np.nan
    if picture.mode == "F":
        values[np.abs(values) >= HUGE] = np.nan  # infinities too
    return values


def is_colour(picture: Pillow.Image) -> bool:
    """Return whether an open image that is not loaded yet has several 16-bit channels."""
    return _raw_mode(picture).startswith(COLOUR)


def as_picture(pixels: npt.NDArray[np.uint8], alpha: Alpha | None) -> Pillow.Image:
    """Convert uint8[height, width] or [height, width, 3], maybe with alpha, to an image."""
    picture = Pillow.fromarray(pixels)
    if alpha is not None:
        picture.putalpha(Pillow.fromarray(np.ascontiguousarray(alpha)))
    return picture


def by_its_own_range(picture: Pillow.Image) -> Pillow.Image:
    """Scale an image by its own range (0–1, 0–255 or 0–65,535), not by the column's."""
    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;16"):
        return picture
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    top = float(values.max(initial=0))
    scale = 255.0 if picture.mode == "F" and top <= 1 else 1.0 if top <= 255 and picture.mode in "IF" else 1 / 257
    return Pillow.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))


def colour_values(picture: Any, again: Any) -> tuple[Values, Alpha | None]:
    """Read a 16-bit multi-channel image, upright; the image is given opened twice.

    Pillow keeps the upper byte of each sample; in the other byte order, it keeps the lower byte.

    Returns:
        float32[height, width] or [height, width, 3], and its alpha.
    """
    raw = _raw_mode(picture)
    if raw.startswith("LA;16"):  # four bytes per pixel, like 8-bit RGBA
        picture.tile = [tile._replace(args="RGBA") for tile in picture.tile]
        parts = np.asarray(ImageOps.exif_transpose(picture))
        return parts[..., 0] * np.float32(256) + parts[..., 1], parts[..., 2]
    again.tile = [tile._replace(args=_other_order(tile.args)) for tile in again.tile]
    upper, lower = (np.asarray(ImageOps.exif_transpose(each)) for each in (picture, again))
    return upper[..., :3] * np.float32(256) + lower[..., :3], upper[..., 3] if raw.startswith("RGBA") else None


def _other_order(args: Any) -> Any:
    raw, rest = (args, None) if isinstance(args, str) else (args[0], args[1:])
    order = raw[-1] if raw[-1] in "BL" else {"little": "L", "big": "B"}[sys.byteorder]
    swapped = raw[: raw.index("16") + 2] + {"B": "L", "L": "B"}[order]
    return swapped if rest is None else (swapped, *rest)


def _raw_mode(picture: Any) -> str:
    """Return the raw mode of a file, in Pillow's notation; empty if the decoder does not expose it."""
    tiles = getattr(picture, "tile", None)
    args = tiles[0][3] if tiles else ""
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _is_signed_byte(picture: Any) -> bool:
    return picture.mode == "L" and _tag(picture, BITS) == 8 and _tag(picture, FORMAT) == SIGNED


def _tag(picture: Any, number: int) -> Any:
    """Return the first value of a TIFF tag; None if absent."""
    found = picture.tag_v2.get(number) if hasattr(picture, "tag_v2") else None
    return found[0] if isinstance(found, tuple) and found else found


def _as_number(value: Any) -> float | None:
    try:
        return None if value is None else float(str(value).strip("\0 "))
    except ValueError:
        return None
