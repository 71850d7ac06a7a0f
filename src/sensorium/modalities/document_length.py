"""Number of pages of PDF files, also of those that are not read."""

from __future__ import annotations

from typing import ClassVar

from sensorium.modalities import _pdf
from sensorium.modalities._files import Source
from sensorium.modalities._measures import Measures


class DocumentLength(Measures):
    """Number of pages of a PDF file, a view that is requested by name: `report.length`.

    Attributes:
        used, mean, deviation, lowest, highest: as in `Measures`.
    """

    names: ClassVar[tuple[str, ...]] = ("number of pages",)
    files: ClassVar[str] = "PDF"
    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return _pdf.is_pdf(head)

    @classmethod
    def measure(cls, source: Source) -> tuple[float, ...]:
        return (float(_pdf.count_pages(source)),)
