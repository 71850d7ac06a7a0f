"""Images: any format, mode and size that Pillow opens, upright, on a plain ground, resized to one size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageOps
from pydantic import Field, NonNegativeInt

from sensorium.config import Side, setting_of
from sensorium.findings import Guess, Problem
from sensorium.modalities._base import EncoderSpec
from sensorium.modalities._encoded import Array, Encoded, Work
from sensorium.modalities._fields import SIZE, Channels, Fit, MaxPixels
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files, sample_rows, shown_cell
from sensorium.modalities._heic import HEIC_CURE, HEIC_DECODER, NO_HEIC, can_read_heic, is_heic, is_heif
from sensorium.modalities._image_notes import add_note, listening
from sensorium.modalities._jpeg import decode_jpeg
from sensorium.modalities._levels import Kind, Scale, learn_scale, span_of
from sensorium.modalities._overview import Overview
from sensorium.modalities._pictures import deep_values, look, opened
from sensorium.modalities._pixels import as_picture, by_its_own_range, is_colour, kind_of
from sensorium.modalities._scales import SavedScales, check_scales, fixed_scales, learn_scales, scale_findings
from sensorium.modalities._sides import Square
from sensorium.table import Column

SUFFIXES = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".jp2",
    ".j2k", ".j2c", ".jpf", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".qoi", ".psd", ".avif", ".avifs", ".heic",
    ".heics", ".heif", ".heifs", ".hif",
)  # fmt: skip
MAGIC = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"8BPS", b"qoif"),
    *(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),  # JPEG 2000, boxed and bare
    *(b"P1\n", b"P2\n", b"P3\n", b"P4\n", b"P5\n", b"P6\n"),
)
GREY = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")
LARGEST = 64  # default side in pixels, at most: small encoders train on it in minutes on a CPU
SMALLEST = 16
FULL_COLOUR = (0, 65_535)  # the scale on which Pillow reads 16-bit colour
SHOWN, THUMBNAIL = 8, 96  # images in an overview, and their side in pixels
CURE = "set {} to [lowest, highest] if these files are right"
UNKNOWN = "the image has {} values of more than 8 bits, unlike the training images: they are scaled by their own range"

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Image(Square):
    """An image.

    Encodes to uint8[n, size, size, channels]. EXIF rotation is applied, transparency is blended with `ground`, and only
    the first of several frames is used. Values of more than 8 bits are reduced to 8 on one scale for the column. Width
    and height of the original are used if `NAME.size` is requested as a column.

    Attributes:
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB).
        fit: how an image that is not square is made square.
        ground: grey value 0–255 behind transparent pixels and beside padded images.
        max_pixels: larger files are rejected (decompression bombs).
        scales: for "integer" and "float" images of more than 8 bits: the values that become 0 and 255, and the minimum
            and maximum in training. A kind that training did not see is scaled file by file.
        seen: counts from the sampled training images.
        by_file: a model of an older version: scale each file by the range it uses, 0–1, 0–255 or 0–65,535.
    """

    encoder: ClassVar[str] = "image_cnn"
    cacheable: ClassVar[bool] = True
    decoders: ClassVar[tuple[str, ...]] = (HEIC_DECODER,)
    near_duplicates: ClassVar[Literal["", "picture", "text"]] = "picture"

    size: Side
    channels: Channels
    fit: Fit
    ground: Annotated[int, Field(ge=0, le=255)]
    max_pixels: MaxPixels
    scales: SavedScales = field(default_factory=dict)
    seen: Mapping[str, NonNegativeInt] = field(default_factory=dict)
    by_file: bool = False

    def check(self) -> None:
        check_scales(self.scales)

    @classmethod
    def restore(cls, json: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        return super().restore({"by_file": "scales" not in json, **json}, arrays)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, SUFFIXES, is_picture, "image")
        if guess and not can_read_heic() and any(map(is_heic, column.sample(1000))):
            return replace(guess, caution="; ".join(filter(None, [f"{NO_HEIC}: {HEIC_CURE}", guess.caution])))
        return guess

    @classmethod
    def view(cls, name: str) -> str | None:
        return "image_size" if name == SIZE else None

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: Side | None = None,
        channels: Channels | None = None,
        fit: Fit = "stretch",
        background: Annotated[int, Field(ge=0, le=255)] = 255,
        max_pixels: MaxPixels = 100_000_000,
        levels: tuple[float, float] | None = None,
    ) -> Self:
        """Learn the size, the channels, and the scale of values with more than 8 bits.

        Args:
            column: training rows.
            size: side in pixels; by default the median shorter side of the training images, between 16 and 64;
                smaller for large tables, at least 32.
            channels: 1 for grey, 3 for RGB; by default 1 if all sampled training images are grey.
            fit: stretch to a square, pad it, or crop its middle.
            background: grey value 0–255 for transparent pixels, pixels without a value, and padding.
            max_pixels: reject files with more pixels.
            levels: values of images with more than 8 bits that become black and white; by default learned from the
                training images.
        """
        looks = decode_sample(column, lambda source: look(source, max_pixels))
        sides = [min(look.width, look.height) for look in looks]
        size = size or int(np.clip(np.median(sides), SMALLEST, LARGEST) if sides else LARGEST)
        channels = channels or (1 if looks and all(look.mode in GREY for look in looks) else 3)
        seen = {"pictures": len(looks), "several frames": sum(look.several for look in looks)}
        scales, found = learn_scales(column, looks, max_pixels) if not levels else (fixed_scales(levels), {})
        return cls(size, channels, fit, background, max_pixels, scales, seen | found)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        values = np.zeros((len(column), self.size, self.size, self.channels), np.uint8)
        notes = list[tuple[int, str]]()

        def decode(source: Source) -> tuple[Pixels, list[str]]:
            with listening() as lost:
                return self.decode(source), lost

        def store(row: int, found: tuple[Pixels, list[str]]) -> None:
            values[row], lost = found
            notes.extend((row, note) for note in lost)

        present, problems = decode_cells(column, decode, work, store)
        cells, cure = column.data, CURE.format(setting_of(column.name, "levels"))
        told = [Problem(row, column.name, note, cure, shown_cell(cells[row].as_py())) for row, note in notes]
        return Encoded(values, present, sorted([*problems, *told], key=Problem.place))

    def decode(self, source: Source) -> Pixels:
        """Decode one file to uint8[size, size, channels]; `listening` collects what is lost.

        Raises:
            Unreadable: the file is truncated, damaged, too large, or not an image.
        """
        side = (self.size, self.size)
        plain = decode_jpeg(source, self.size, self.channels, self.max_pixels)
        if plain is not None:
            return self._square(Pillow.fromarray(plain if self.channels > 1 else plain[:, :, 0]), side)
        with opened(source, self.max_pixels) as picture:
            kind = kind_of(picture)
            if kind:
                return self.prepare(self._eight_bits(picture, source, kind))
            picture.draft("L" if self.channels == 1 else "RGB", side)  # JPEG: decodes at a fraction of the size
            return self.prepare(ImageOps.exif_transpose(picture))

    def prepare(self, picture: Pillow.Image) -> Pixels:
        """Convert an opened 8-bit image, already turned upright, to uint8[size, size, channels]."""
        return self._square(self._flatten(picture), (self.size, self.size))

    def _eight_bits(self, picture: Pillow.Image, source: Source, kind: Kind) -> Pillow.Image:
        """Convert to 8 bits, upright."""
        if self.by_file:  # including colour, as Pillow reads it
            return by_its_own_range(ImageOps.exif_transpose(picture))
        known = self.scales.get(kind)
        scale = Scale(*known) if known else None
        if scale and is_colour(picture) and (scale.low, scale.high) == FULL_COLOUR:
            return ImageOps.exif_transpose(picture)  # as Pillow reads it
        values, alpha = deep_values(picture, source)
        if scale:
            add_note(scale.misfit(values))
        else:
            add_note(UNKNOWN.format(kind) if self.seen else "")
            span = span_of(values, kind)
            scale = learn_scale([span]) if span else Scale(0, 1, 0, 1)
        return as_picture(scale.apply(values, self.ground), alpha)

    def _flatten(self, picture: Pillow.Image) -> Pillow.Image:
        mode = "L" if self.channels == 1 else "RGB"
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

    @property
    def pixels(self) -> int:
        return self.size**2

    def encoder_spec(self) -> EncoderSpec:
        return {"channels": self.channels, "size": self.size}

    def overview(self, column: Column) -> Overview:
        seen = decode_sample(column, lambda source: look(source, self.max_pixels))
        width, height = np.array([(each.width, each.height) for each in seen], np.float64).reshape(-1, 2).T
        rows = sample_rows(column, SHOWN)
        small = replace(self, size=THUMBNAIL, channels=3, fit="pad").encode(column.take(rows))
        pictures = {int(row): small.values[place] for place, row in enumerate(rows) if small.present[place]}
        return Overview({"width in pixels": width, "height in pixels": height}, pictures)

    def describe(self) -> str:
        scales = [f"{kind} values {Scale(*known).text()}" for kind, known in self.scales.items()]
        return ", ".join([f"{self.size} × {self.size}", "grey" if self.channels == 1 else "RGB", *scales])

    def findings(self, column: str) -> list[Problem]:
        return scale_findings(column, self.scales, self.seen, self.ground)


def is_picture(head: bytes) -> bool:
    """Return whether bytes start like an image file."""
    return head.startswith(MAGIC) or is_heif(head) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
