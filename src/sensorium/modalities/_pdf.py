"""PDF files: their text and pictures of their pages, by PDFium, which runs no script and opens no other file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from PIL import Image as Pillow

from sensorium.errors import MissingExtraError
from sensorium.findings import Unreadable
from sensorium.modalities._files import Source

MAGIC, HEAD = b"%PDF-", 1024  # the mark, and the bytes among which readers look for it
CHARACTERS = 1_000_000  # read of a document, at most
FINE = 2.0  # pixels drawn for each that is kept: thin lines don't vanish
SIDE = 2048  # pixels of a drawn page's longer side, at most, however large the page says that it is
PASSWORD, SECURITY = 4, 5  # PDFium's errors
DAMAGED = "damaged PDF file"

Note: TypeAlias = tuple[str, str]  # what was left out, and the cure
T = TypeVar("T")

# PDFium keeps state of its own without locks: one thread at a time may be in it.
_alone = Lock()


def is_pdf(head: bytes) -> bool:
    """Do bytes begin like a PDF file?"""
    return MAGIC in head[:HEAD]


def read_text(source: Source, most: int) -> tuple[str, list[Note]]:
    """The text of the first pages, at most about a million characters, a blank line between pages.

    Raises:
        Unreadable: damaged, encrypted, without text.
    """

    def text_of(page: Any) -> str:
        return str(page.get_textpage().get_text_bounded())

    parts, notes, count = _of_pages(source, most, text_of, enough=lambda texts: sum(map(len, texts)) > CHARACTERS)
    text = "\n\n".join(parts)
    if not text.strip():
        raise Unreadable("a PDF file without text, scanned perhaps", "its pages can be learnt from: column NAME.pages")
    if count > most:
        notes.append((f"a PDF file of more than {most} pages: the others are not read", "the option pages reads more"))
    if len(text) > CHARACTERS:
        notes.append((f"a PDF file of more than {CHARACTERS:,} characters: the rest is not read", "split the file"))
    return text[:CHARACTERS], notes


def draw_pages(source: Source, most: int, size: int) -> tuple[list[Pillow.Image], list[Note]]:
    """Pictures of the first pages, on white, finer than `size` pixels each way; bounded whatever a page's size.

    Raises:
        Unreadable: damaged, encrypted.
    """

    def picture_of(page: Any) -> Pillow.Image:
        width, height = page.get_size()
        if not (width > 0 and height > 0):
            raise ValueError("a page without a size")
        bitmap = page.render(scale=min(FINE * size / min(width, height), SIDE / max(width, height)))
        picture = bitmap.to_pil().convert("RGB").copy()  # a bitmap's memory is PDFium's own
        bitmap.close()
        return picture

    return _of_pages(source, most, picture_of, enough=lambda pictures: False)[:2]


def count_pages(source: Source) -> int:
    """Raises Unreadable."""
    with _opened(source) as document:
        return len(document)


def _of_pages(
    source: Source, most: int, read: Callable[[Any], T], *, enough: Callable[[list[T]], bool]
) -> tuple[list[T], list[Note], int]:
    """What `read` makes of each of the first pages, and how many there are; those that it can't read are told."""
    found, notes = list[T](), list[Note]()
    with _opened(source) as document:
        count = len(document)
        for number in range(min(count, most)):
            try:
                page = document[number]
                found.append(read(page))
                page.close()
            # Of damaged pages PDFium's own errors are told, and those of Python that its values lead to.
            except Exception:  # noqa: BLE001
                notes.append(("a page of a PDF file is damaged: left out", "save the file again"))
            if enough(found):
                break
    if not found:
        raise Unreadable(DAMAGED)
    return found, list(dict.fromkeys(notes)), count


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """The document; nobody else is in PDFium until it is closed.

    Raises:
        Unreadable: no PDF file, damaged, encrypted.
        MissingExtraError: pypdfium2 is not installed.
    """
    pdfium = _library()
    content = source.getvalue() if isinstance(source, io.BytesIO) else source.read_bytes()
    if not is_pdf(content):
        raise Unreadable("no PDF file: its first bytes lack the mark")
    with _alone:
        try:
            document = pdfium.PdfDocument(content)
        except pdfium.PdfiumError as error:
            if getattr(error, "err_code", None) in (PASSWORD, SECURITY):
                raise Unreadable("an encrypted PDF file", "save it without a password") from None
            raise Unreadable(DAMAGED) from None
        try:
            yield document
        finally:
            document.close()


def _library() -> Any:
    try:
        import pypdfium2
    except ImportError as error:
        raise MissingExtraError("pypdfium2 is not installed", cure="pip install 'sensorium[document]'") from error
    return pypdfium2
