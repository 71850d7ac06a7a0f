"""Memory-mapped contents of a file, to detect formats and count frames without reading all of it."""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source


class Content(Protocol):
    """Bytes or a memory-mapped file."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...
    def find(self, what: bytes, start: int = ..., stop: int = ..., /) -> int: ...


@contextmanager
def mapped(source: Source) -> Iterator[Content]:
    """Map a whole file.

    Raises:
        Unreadable: the file cannot be read.
    """
    if isinstance(source, io.BytesIO):
        yield source.getvalue()
        return
    try:
        with source.open("rb", buffering=0) as stream:
            content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise Unreadable(f"the file cannot be read ({getattr(error, 'strerror', None) or error})") from None
    with content:
        yield content


def after_tags(content: Content) -> int:
    """Return the position of the end of the ID3v2 tags before the audio."""
    start = 0
    while content[start : start + 3] == b"ID3" and len(content) >= start + 10:
        size = content[start + 6 : start + 10]
        start += 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(size))
    return start
