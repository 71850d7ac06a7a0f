"""Number of pages of PDF files, also of those that are not read."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sensorium.findings import Guess
from sensorium.modalities import _pdf
from sensorium.modalities._files import Source, looks_like_files
from sensorium.modalities._measures import Measures
from sensorium.table import Column


class DocumentLength(Measures):
    """Number of pages of a PDF file, a view that is requested by name: `report.length`.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = ("number of pages",)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        guess = looks_like_files(column, (".pdf",), _pdf.is_pdf, "PDF")
        return guess and replace(guess, confidence=0.05)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        return (float(_pdf.count_pages(source)),)
