"""Audio written to a pipe: the header declares no samples, because their number was unknown when it was written."""

from __future__ import annotations

import io
from typing import Any, Literal

from sensorium.modalities._content import Content

HEAD = 1 << 16  # bytes of a file within which the header of its samples lies
UNKNOWN = 0xFFFF_FFFF  # means "unknown" in RF64 and AU
WAVES = (b"RIFF", b"RIFX", b"RF64", b"BW64")


class Mended(io.RawIOBase):
    """A file object over content whose start is replaced by bytes of the same length."""

    def __init__(self, content: Content, start: bytes) -> None:
        self.content, self.start, self.place = content, start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: len(self.content)}[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, target: Any) -> int:
        view = memoryview(target).cast("B")
        found = self.content[self.place : self.place + len(view)]
        own = self.start[self.place : self.place + len(found)]
        view[: len(found)] = own + found[len(own) :]
        self.place += len(found)
        return len(found)


def mended_start(head: bytes, size: int) -> bytes | None:
    """Return the start of a WAV, AU or CAF file with the size of its samples filled in; None if it is declared.

    Args:
        head: the first `HEAD` bytes.
        size: bytes of the whole file.
    """
    if head[:4] in WAVES and head[8:12] == b"WAVE":
        return _mended_wave(head, size)
    if head.startswith(b".snd") and head[8:12] == bytes(4):
        return head[:8] + b"\xff" * 4 + head[12:]
    if head.startswith(b"caff"):
        return _mended_caf(head, size)
    return None


def _mended_wave(head: bytes, size: int) -> bytes | None:
    order: Literal["little", "big"] = "big" if head.startswith(b"RIFX") else "little"
    wide, at, found = not head.startswith(b"RI"), 12, None
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], order)
        if name == b"ds64":
            found = at + 16  # eight bytes of the samples
        if name == b"data":
            break
        at += 8 + length + length % 2
    else:
        return None
    start = at + 8
    declared = int.from_bytes(head[found : found + 8], order) if wide and length == UNKNOWN and found else length
    if declared or start >= size or _is_chunks(head, start, size, order):
        return None
    there = min(size - start, UNKNOWN - 1)
    mended = bytearray(head)
    mended[at + 4 : at + 8] = there.to_bytes(4, order)
    mended[:8] = (b"RIFX" if order == "big" else b"RIFF") + min(size - 8, UNKNOWN - 1).to_bytes(4, order)
    return bytes(mended)


def _is_chunks(head: bytes, start: int, size: int, order: Literal["little", "big"]) -> bool:
    """Return whether other chunks follow up to the end; the file then has no samples."""
    while (
        start + 8 <= min(size, len(head)) and head[start : start + 4].isascii() and head[start : start + 4].strip(b"\0")
    ):
        length = int.from_bytes(head[start + 4 : start + 8], order)
        start += 8 + length + length % 2
    return start in (size, size + 1)


def _mended_caf(head: bytes, size: int) -> bytes | None:
    """Fill in a size of -1, which means "up to the end" in CAF: libsndfile ignores it in seekable files."""
    at = 8
    while at + 12 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 12], "big", signed=True)
        if name == b"data":
            there = size - at - 12
            return head[: at + 4] + there.to_bytes(8, "big") + head[at + 12 :] if length <= 0 < there else None
        if length < 0:
            return None
        at += 12 + length
    return None
