"""Pages: images of the pages of a PDF file, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt

from sensorium.config import Many, Side, setting_of
from sensorium.findings import Guess, Problem, count
from sensorium.modalities import _pdf
from sensorium.modalities._base import EncoderSpec
from sensorium.modalities._encoded import Encoded, Ragged, Work
from sensorium.modalities._fields import Channels, Fit
from sensorium.modalities._files import LEARN_FROM, Source, decode_cells, decode_sample, looks_like_files, sample_rows
from sensorium.modalities._overview import Overview
from sensorium.modalities._sides import Square
from sensorium.modalities.image import SHOWN, THUMBNAIL, Image
from sensorium.table import Column

GROUND, MAX_PIXELS = 255, _pdf.SIDE**2

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pages(Square):
    """Images of the first pages of a PDF file: a view of a document column, or a separate column.

    Encodes to Ragged uint8[total pages, size, size, channels], for any page size.

    Attributes:
        size, channels, fit: as in image, for each page.
        most: number of pages read, from the first.
        cut, seen: number of training files with more pages, and of sampled files.
    """

    encoder: ClassVar[str] = "frames_cnn"
    cacheable: ClassVar[bool] = True

    size: Side
    channels: Channels
    fit: Fit
    most: Many
    cut: NonNegativeInt = 0
    seen: NonNegativeInt = 0

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, (".pdf",), _pdf.is_pdf, "PDF")
        return guess and replace(guess, confidence=0.1)  # the text of a document carries more information

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: Side = 64,
        channels: Channels = 3,
        fit: Fit = "stretch",
        max_pages: Many = 4,
    ) -> Self:
        """Set how pages are drawn; count files with more than `max_pages` pages.

        Args:
            column: training rows.
            size: side in pixels.
            channels: 1 for grey, 3 for RGB.
            fit: stretch to a square, pad it, or crop its middle.
            max_pages: number of pages read, from the first.
        """
        counts = decode_sample(column, _pdf.count_pages)
        return cls(size, channels, fit, max_pages, sum(number > max_pages for number in counts), len(counts))

    @property
    def _picture(self) -> Image:
        return Image(self.size, self.channels, self.fit, GROUND, MAX_PIXELS)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        empty = np.empty((0, self.size, self.size, self.channels), np.uint8)
        cells, notes = [empty] * len(column), list[Problem]()

        def store(row: int, found: tuple[Pictures, list[_pdf.Note]]) -> None:
            cells[row] = found[0]
            notes.extend(Problem(row, column.name, *note) for note in found[1])

        present, problems = decode_cells(column, self.decode, work, store)
        return Encoded(Ragged.of(cells, empty), present, sorted([*problems, *notes], key=Problem.place))

    def decode(self, source: Source) -> tuple[Pictures, list[_pdf.Note]]:
        """Decode one file to uint8[pages, size, size, channels], with notes on what was skipped.

        Raises:
            Unreadable: the file is damaged, encrypted, or not a PDF file.
        """
        pictures, notes = _pdf.draw_pages(source, self.most, self.size)
        return np.stack([self._picture.prepare(picture) for picture in pictures]), notes

    def findings(self, column: str) -> list[Problem]:
        if not self.cut:
            return []
        reason = f"{self.cut:,} of {count(self.seen, 'PDF file')} have more than {count(self.most, 'page')}"
        cure = f"a larger {setting_of(column, 'max_pages')} reads more"
        return [Problem(None, column, f"{reason}: only the first ones are read", cure)]

    @property
    def pixels(self) -> int:
        return self.most * self.size**2

    def encoder_spec(self) -> EncoderSpec:
        return {"channels": self.channels, "size": self.size, "ordered": True}

    def overview(self, column: Column) -> Overview:
        counts = decode_sample(column, _pdf.count_pages, most=LEARN_FROM)
        rows = sample_rows(column, SHOWN)
        small = Pages(THUMBNAIL, 3, "pad", 1).encode(column.take(rows))
        pictures = {int(row): small.values[place][0] for place, row in enumerate(rows) if small.present[place]}
        return Overview({"pages": np.array(counts, np.float64)}, pictures)

    def describe(self) -> str:
        return f"the first {self.most} pages, {self._picture.describe()}"
