"""HEIC images: how they are recognized, and the decoder that reads them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sensorium.table import FileCell

HEIC_DECODER = "pillow_heif"
HEIC_SUFFIXES = (".heic", ".heics", ".heif", ".heifs", ".hif")
HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")  # ISO/IEC 23008-12: brands
AVIF = (b"avif", b"avis")
NO_HEIC = "HEIC images need pillow-heif, which is not installed"
HEIC_CURE = "pip install pillow-heif, or convert the files to JPEG or PNG"


def is_heif(head: bytes) -> bool:
    """Return whether these first bytes are those of an image in an ISO container, such as HEIC and AVIF."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIC + AVIF


def is_heic(value: Any) -> bool:
    """Return whether a cell is an image, or the path of one, that Pillow reads only with a plug-in."""
    if isinstance(value, dict):
        cell = FileCell.of(value)
        value = cell.content or cell.name
    if isinstance(value, bytes):
        return value[4:8] == b"ftyp" and value[8:12] in HEIC
    return isinstance(value, str) and value.lower().endswith(HEIC_SUFFIXES)


def can_read_heic() -> bool:
    """Return whether pillow-heif is installed."""
    return find_spec(HEIC_DECODER) is not None


@cache
def register_heic() -> None:
    import_module(HEIC_DECODER).register_heif_opener()
