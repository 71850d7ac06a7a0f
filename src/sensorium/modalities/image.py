"""Images: any format, mode and size that Pillow opens, upright, over a plain ground, at one size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from pydantic import Field, PositiveInt

from sensorium.modalities._base import Encoded, Facts, Modality, Work
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files, sample_rows
from sensorium.modalities._jpeg import decode_jpeg
from sensorium.modalities._overview import Overview
from sensorium.problems import Unreadable
from sensorium.schema import Guess
from sensorium.table import Column

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".ppm", ".pgm")
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
GREY = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")
LARGEST = 64  # side in pixels by default, at most: what small encoders train on in minutes on a CPU
SMALLEST = 16
SHOWN, THUMBNAIL = 8, 96  # pictures in an overview, and their side in pixels

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Image(Modality):
    """A picture.

    Encodes to uint8[n, size, size, channels]. EXIF rotation is applied, transparency laid over `ground`, 16-bit
    depth reduced to 8; of several frames the first is taken.

    Attributes:
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB).
        fit: how a picture that is not square becomes so.
        ground: grey value 0–255 behind transparent pixels and beside padded pictures.
        max_pixels: larger files are refused (decompression bombs).
    """

    encoder: ClassVar[str] = "image_cnn"
    kept: ClassVar[bool] = True
    near: ClassVar[Literal["", "picture", "text"]] = "picture"

    size: int
    channels: int
    fit: str
    ground: int
    max_pixels: int

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return looks_like_files(
            column, SUFFIXES, lambda head: head.startswith(MAGIC) and head[8:12] != b"WAVE", "image"
        )

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: PositiveInt | None = None,
        channels: Literal[1, 3] | None = None,
        fit: Literal["stretch", "pad", "crop"] = "stretch",
        ground: Annotated[int, Field(ge=0, le=255)] = 255,
        max_pixels: PositiveInt = 100_000_000,
    ) -> Self:
        """Args:
        column: training rows.
        size: side in pixels; by default the median shorter side of the training pictures, between 16 and 64.
        channels: 1 grey, 3 RGB; by default 1 where all training pictures looked at are grey.
        fit: stretch to a square, pad it, or crop its middle.
        ground: grey value 0–255 behind transparent pixels and beside padded pictures.
        max_pixels: refuse larger files.
        """
        seen = decode_sample(column, lambda source: _shape(source, max_pixels))
        sides = [min(width, height) for width, height, _ in seen]
        size = size or int(np.clip(np.median(sides), SMALLEST, LARGEST) if sides else LARGEST)
        channels = channels or (1 if seen and all(mode in GREY for *_, mode in seen) else 3)
        return cls(size, channels, fit, ground, max_pixels)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        values = np.zeros((len(column), self.size, self.size, self.channels), np.uint8)
        present, problems = decode_cells(column, self.decode, work, values.__setitem__)
        return Encoded(values, present, problems)

    def decode(self, source: Source) -> Pixels:
        """One file → uint8[size, size, channels].

        Raises:
            Unreadable: truncated, damaged, too large, or no picture.
        """
        side = (self.size, self.size)
        plain = decode_jpeg(source, self.size, self.channels, self.max_pixels)
        if plain is not None:
            return self._square(Pillow.fromarray(plain if self.channels > 1 else plain[:, :, 0]), side)
        try:
            with Pillow.open(source) as picture:
                _refuse_bombs(picture, self.max_pixels)
                picture.draft("L" if self.channels == 1 else "RGB", side)  # JPEG: decodes at a fraction of the size
                return self.prepare(ImageOps.exif_transpose(picture))
        except Unreadable:
            raise
        # Damaged files make Pillow and its plug-ins raise nearly anything; every one of them means "can't be decoded".
        except Exception as error:  # noqa: BLE001
            raise Unreadable(_reason(error)) from None

    def prepare(self, picture: Pillow.Image) -> Pixels:
        """An open picture, upright → uint8[size, size, channels]."""
        return self._square(self._flatten(picture), (self.size, self.size))

    def _flatten(self, picture: Pillow.Image) -> Pillow.Image:
        mode = "L" if self.channels == 1 else "RGB"
        if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
            picture = _eight_bits(picture)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            below = Pillow.new("RGBA", picture.size, (self.ground,) * 3 + (255,))
            picture = Pillow.alpha_composite(below, picture)
        return picture if picture.mode == mode else picture.convert(mode)

    def _square(self, picture: Pillow.Image, side: tuple[int, int]) -> Pixels:
        ground = (self.ground,) * self.channels if self.channels > 1 else self.ground
        if self.fit == "pad":
            picture = ImageOps.pad(picture, side, Pillow.Resampling.BILINEAR, color=ground)
        elif self.fit == "crop":
            picture = ImageOps.fit(picture, side, Pillow.Resampling.BILINEAR)
        elif picture.size != side:
            picture = picture.resize(side, Pillow.Resampling.BILINEAR)
        return np.asarray(picture).reshape(self.size, self.size, self.channels)

    def facts(self) -> Facts:
        return {"channels": self.channels, "size": self.size}

    def overview(self, column: Column) -> Overview:
        seen = decode_sample(column, lambda source: _shape(source, self.max_pixels))
        width, height = np.array([shape[:2] for shape in seen], np.float64).reshape(-1, 2).T
        rows = sample_rows(column, SHOWN)
        small = Image(THUMBNAIL, 3, "pad", self.ground, self.max_pixels).encode(column.take(rows))
        pictures = {int(row): small.values[place] for place, row in enumerate(rows) if small.present[place]}
        return Overview({"width in pixels": width, "height in pixels": height}, pictures)

    def describe(self) -> str:
        return f"{self.size} × {self.size}, {'grey' if self.channels == 1 else 'RGB'}"


def _shape(source: Source, max_pixels: int) -> tuple[int, int, str]:
    try:
        with Pillow.open(source) as picture:
            _refuse_bombs(picture, max_pixels)
            return (*picture.size, picture.mode)
    except Exception as error:  # noqa: BLE001 - as in decode
        raise Unreadable(_reason(error)) from None


def _refuse_bombs(picture: Pillow.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        cure = "set the option max_pixels of the image modality if that is meant"
        raise Unreadable(f"a picture of {width} × {height} pixels is over the limit of {max_pixels:,}", cure)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no picture that Pillow knows"
    if isinstance(error, Pillow.DecompressionBombError | Pillow.DecompressionBombWarning):
        return "a picture with more pixels than are safe to decode"
    # Without counts of bytes and the like in brackets: like faults are told together.
    return f"damaged picture ({re.sub(r' *[(][^)]*[)]', '', str(error)) or type(error).__name__})"


def _eight_bits(picture: Pillow.Image) -> Pillow.Image:
    """16-bit and 32-bit grey → 8-bit grey, by the range that the values use: 0–1, 0–255 or 0–65,535."""
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    top = float(values.max(initial=0))
    scale = 255.0 if picture.mode == "F" and top <= 1 else 1.0 if top <= 255 and picture.mode in "IF" else 1 / 257
    return Pillow.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))
