"""PDF files: their text and images of their pages, by PDFium, which runs no script and opens no other file."""

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

MAGIC, HEAD = b"%PDF-", 1024  # the signature, and the bytes within which readers look for it
CHARACTERS = 1_000_000  # read from a document, at most
FINE = 2.0  # pixels drawn per pixel kept: thin lines do not vanish
SIDE = 2048  # pixels of a drawn page's longer side, at most, whatever size the page declares
PASSWORD, SECURITY = 4, 5  # PDFium's errors
DAMAGED = "the PDF file is damaged"

Note: TypeAlias = tuple[str, str]  # what was skipped, and the cure
T = TypeVar("T")

# PDFium keeps global state without locks: only one thread may use it at a time.
_alone = Lock()


def is_pdf(head: bytes) -> bool:
    """Return whether bytes start like a PDF file."""
    return MAGIC in head[:HEAD]


def read_text(source: Source, most: int) -> tuple[str, list[Note]]:
    """Read the text of the first pages, at most about a million characters, with a blank line between pages.

    Raises:
        Unreadable: the file is damaged, encrypted, or has no text.
    """

    def text_of(page: Any) -> str:
        return str(page.get_textpage().get_text_bounded())

    parts, notes, count = _of_pages(source, most, text_of, enough=lambda texts: sum(map(len, texts)) > CHARACTERS)
    text = "\n\n".join(parts)
    if not text.strip():
        raise Unreadable("the PDF file has no text, maybe a scan", "use images of its pages: column NAME.pages")
    if count > most:
        cut = f"the PDF file has more than {most} pages: only the first {most} are read"
        notes.append((cut, "increase max_pages"))
    if len(text) > CHARACTERS:
        notes.append((f"the PDF file has more than {CHARACTERS:,} characters: the rest is not read", "split the file"))
    return text[:CHARACTERS], notes


def draw_pages(source: Source, most: int, size: int) -> tuple[list[Pillow.Image], list[Note]]:
    """Draw the first pages on white, larger than `size` pixels each way, but bounded for any page size.

    Raises:
        Unreadable: the file is damaged or encrypted.
    """

    def picture_of(page: Any) -> Pillow.Image:
        width, height = page.get_size()
        if not (width > 0 and height > 0):
            raise ValueError("the page has no size")
        bitmap = page.render(scale=min(FINE * size / min(width, height), SIDE / max(width, height)))
        picture = bitmap.to_pil().convert("RGB").copy()  # PDFium owns the memory of a bitmap
        bitmap.close()
        return picture

    return _of_pages(source, most, picture_of, enough=lambda pictures: False)[:2]


def count_pages(source: Source) -> int:
    """Count the pages of a file. Raises Unreadable."""
    with _opened(source) as document:
        return len(document)


def _of_pages(
    source: Source, most: int, read: Callable[[Any], T], *, enough: Callable[[list[T]], bool]
) -> tuple[list[T], list[Note], int]:
    """Apply `read` to each of the first pages; return the results, the number of pages, and notes on damaged ones."""
    found, notes = list[T](), list[Note]()
    with _opened(source) as document:
        count = len(document)
        for number in range(min(count, most)):
            try:
                page = document[number]
                found.append(read(page))
                page.close()
            # A damaged page raises PDFium's own errors, and errors of Python that its values cause.
            except Exception:  # noqa: BLE001
                notes.append(("a page of the PDF file is damaged: skipped", "save the file again"))
            if enough(found):
                break
    if not found:
        raise Unreadable(DAMAGED)
    return found, list(dict.fromkeys(notes)), count


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """Open a document, locking PDFium until it is closed.

    Raises:
        Unreadable: the file is damaged, encrypted, or not a PDF file.
        MissingExtraError: pypdfium2 is not installed.
    """
    pdfium = _library()
    content = source.getvalue() if isinstance(source, io.BytesIO) else source.read_bytes()
    if not is_pdf(content):
        raise Unreadable("not a PDF file: the signature is missing")
    with _alone:
        try:
            document = pdfium.PdfDocument(content)
        except pdfium.PdfiumError as error:
            if getattr(error, "err_code", None) in (PASSWORD, SECURITY):
                raise Unreadable("the PDF file is encrypted", "save it without a password") from None
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
