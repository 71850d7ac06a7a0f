"""Pages: pictures of a PDF file's pages, in their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt

from sensorium.config import Many, Side, setting_of
from sensorium.findings import Guess, Problem, count
from sensorium.modalities import _pdf
from sensorium.modalities._base import Encoded, EncoderSpec, Modality, Ragged, Work
from sensorium.modalities._fields import Channels, Fit
from sensorium.modalities._files import LEARN_FROM, Source, decode_cells, decode_sample, looks_like_files, sample_rows
from sensorium.modalities._overview import Overview
from sensorium.modalities.image import SHOWN, THUMBNAIL, Image
from sensorium.table import Column

GROUND, MAX_PIXELS = 255, _pdf.SIDE**2

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pages(Modality):
    """What the first pages of a PDF file look like: a view of a column of documents, or a column of its own.

    Encodes to Ragged uint8[total pages, size, size, channels], whatever size a page says that it has.

    Attributes:
        size, channels, fit: of each picture, as of an image.
        most: pages of a file, its first ones.
        cut, seen: training files that have more, of so many looked at.
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
        return guess and replace(guess, confidence=0.1)  # a document's text says more of it than its looks

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        size: Side = 64,
        channels: Channels = 3,
        fit: Fit = "stretch",
        most: Many = 4,
    ) -> Self:
        """Args:
        column: training rows.
        size: side in pixels.
        channels: 1 grey, 3 RGB.
        fit: stretch to a square, pad it, or crop its middle.
        most: pages of a file, its first ones.
        """
        counts = decode_sample(column, _pdf.count_pages)
        return cls(size, channels, fit, most, sum(number > most for number in counts), len(counts))

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
        """One file → uint8[pages, size, size, channels], and what was left out.

        Raises:
            Unreadable: damaged, encrypted, no PDF file.
        """
        pictures, notes = _pdf.draw_pages(source, self.most, self.size)
        return np.stack([self._picture.prepare(picture) for picture in pictures]), notes

    def findings(self, column: str) -> list[Problem]:
        if not self.cut:
            return []
        reason = f"{self.cut:,} of {count(self.seen, 'PDF file')} have more than {count(self.most, 'page')}"
        cure = f"{setting_of(column, 'most')} draws more"
        return [Problem(None, column, f"{reason}: the others are not drawn", cure)]

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
