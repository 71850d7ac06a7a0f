"""Documents: the text of PDF files; images of their pages are a separate column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt

from sensorium.config import Many, Probability
from sensorium.findings import Guess, Problem
from sensorium.modalities import _pdf
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Work
from sensorium.modalities._encoder_advice import EncoderAdvice, advise_text
from sensorium.modalities._fields import LENGTH
from sensorium.modalities._files import LEARN_FROM, Source, decode_cells, decode_sample, looks_like_files
from sensorium.modalities._new_tokenizer import Unit
from sensorium.modalities._overview import Overview
from sensorium.modalities.text import Text
from sensorium.table import Column

VOCABULARY_FROM = 2000  # files from which the vocabulary is learned, evenly spaced


@dataclass(frozen=True)
class Document(Modality):
    """Text of a PDF file; its pages are a view, the column `NAME.pages`.

    Encodes as text does: Ragged int32[total] of token ids, 0 padding, 1 unknown. A file without text (a scan) is
    missing here, with the reason, but present as pages. The number of all pages is used if `NAME.length` is requested.

    Attributes:
        tokenizer, length, cut, seen, unknown_share, full, whole: as in text.
        pages: number of pages read, from the first.
    """

    encoder: ClassVar[str] = "bilstm"
    cacheable: ClassVar[bool] = True

    tokenizer: str
    length: Many
    pages: Many
    cut: NonNegativeInt = 0
    seen: NonNegativeInt = 0
    unknown_share: Probability = 0.0
    full: bool = False
    whole: bool = False

    def check(self) -> None:
        self._text.check()

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        return looks_like_files(column, (".pdf",), _pdf.is_pdf, "PDF")

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        return {"pages": "pages"}

    @classmethod
    def view(cls, name: str) -> str | None:
        return "document_length" if name == LENGTH else None

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        max_pages: Many = 50,
        unit: Unit = "word",
        vocabulary: Annotated[int, Field(ge=2)] = 10_000,
        min_count: PositiveInt = 2,
        lowercase: bool = True,
        length: Many | None = None,
        tokenizer: str | None = None,
    ) -> Self:
        """Learn the vocabulary and the length kept.

        Args:
            column: training rows.
            max_pages: number of pages read, from the first.
            unit, vocabulary, min_count, lowercase, length, tokenizer: as in text.
        """
        found = decode_sample(column, lambda source: _pdf.read_text(source, max_pages)[0], most=VOCABULARY_FROM)
        texts = replace(column, data=pa.array(found, pa.string()))
        text = Text.learn(
            texts,
            unit=unit,
            vocabulary=vocabulary,
            min_count=min_count,
            lowercase=lowercase,
            length=length,
            tokenizer=tokenizer,
        )
        told = (text.cut, text.seen, text.unknown_share, text.full, text.whole)
        return cls(text.tokenizer, text.length, max_pages, *told)

    @property
    def _text(self) -> Text:
        return Text(self.tokenizer, self.length, self.cut, self.seen, self.unknown_share, self.full, self.whole)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        texts: list[str | None] = [None] * len(column)
        notes = list[Problem]()

        def store(row: int, found: tuple[str, list[_pdf.Note]]) -> None:
            texts[row] = found[0]
            notes.extend(Problem(row, column.name, *note) for note in found[1])

        _, problems = decode_cells(column, self._read, work, store)
        encoded = self._text.encode(replace(column, data=pa.array(texts, pa.string())))
        told = sorted([*problems, *notes, *encoded.problems], key=Problem.place)
        return replace(encoded, problems=told)

    def _read(self, source: Source) -> tuple[str, list[_pdf.Note]]:
        return _pdf.read_text(source, self.pages)

    def findings(self, column: str) -> list[Problem]:
        return self._text.findings(column)

    def encoder_spec(self) -> EncoderSpec:
        return self._text.encoder_spec()

    def advise_encoder(self, column: Column, rows: int) -> EncoderAdvice | None:
        return advise_text(rows, self.length)  # files are not decoded again to count their words

    def unknown(self) -> int | None:
        return self._text.unknown()

    def overview(self, column: Column) -> Overview:
        texts = decode_sample(column, self._read, most=LEARN_FROM)
        return Overview({"length in characters": np.array([len(text) for text, _ in texts], np.float64)})

    def describe(self) -> str:
        return f"{self._text.describe()} of the first {self.pages} pages"
