"""FLAC files written to a pipe: the header lacks the number of samples, which is computed from the last frame."""

from __future__ import annotations

from sensorium.findings import Unreadable
from sensorium.modalities._content import Content

MARK = b"fLaC"
INFO = slice(8, 42)  # STREAMINFO, which comes first (RFC 9639, 8.2)
SYNC = (b"\xff\xf8", b"\xff\xf9")  # fixed block size, counted in frames; variable block size, counted in samples
TAIL = 1 << 20  # bytes at the end within which the last frame starts
LEAST = 8  # bytes of a frame
NUMBER = (1 << 36) - 1
HEADER_POLYNOMIAL, FRAME_POLYNOMIAL = 0x07, 0x8005


def with_length(content: Content) -> bytes | None:
    """Return the start of a file with the number of samples filled in.

    None if the count is already there or the file is not FLAC.

    Raises:
        Unreadable: the file is truncated, so the number is unknown.
    """
    info = content[INFO]
    if content[:4] != MARK or len(info) < 34 or int.from_bytes(info[10:18], "big") & NUMBER:
        return None
    total = _samples(content)
    if not total:
        raise Unreadable("the audio is truncated: the file ends within a frame, and its header has no length")
    packed = int.from_bytes(info[10:18], "big") | total & NUMBER
    return content[: INFO.start + 10] + packed.to_bytes(8, "big")


def _samples(content: Content) -> int:
    """Return the number of samples, computed from the last complete frame; 0 if there is none."""
    start = max(INFO.stop, len(content) - TAIL)
    tail = content[start : len(content)]
    at = len(tail)
    while (at := max(tail.rfind(mark, 0, at) for mark in SYNC)) >= 0:
        end = _end_of(tail[at : at + 16], int.from_bytes(content[8:10], "big"))
        if end and _checksum(tail[at:], FRAME_POLYNOMIAL, 16) == 0:
            return end
    return 0


def _end_of(head: bytes, usual: int) -> int:
    """Return the number of samples up to the end of the frame with this header; 0 if invalid (RFC 9639, 9.1)."""
    if len(head) < LEAST or head[3] & 1:
        return 0
    width = max(1, 8 - (~head[4] & 0xFF).bit_length())  # as in UTF-8
    number = head[4] & (0x7F if width == 1 else (1 << (7 - width)) - 1)
    for byte in head[5 : 4 + width]:
        number = number << 6 | byte & 0x3F
    size, rate, at = head[2] >> 4, head[2] & 15, 4 + width
    wide = {6: 1, 7: 2}.get(size, 0)
    own = int.from_bytes(head[at : at + wide], "big") + 1
    at += wide + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if size == 0 or rate == 15 or _checksum(head[: at + 1], HEADER_POLYNOMIAL, 8):
        return 0
    samples = own if wide else 192 if size == 1 else 576 << size - 2 if size < 6 else 256 << size - 8
    return (number if head[1] & 1 else number * usual) + samples


def _checksum(content: bytes, polynomial: int, bits: int) -> int:
    """Return a checksum; it is 0 for content followed by its own checksum."""
    rest, top = 0, 1 << bits - 1
    for byte in content:
        rest ^= byte << bits - 8
        for _ in range(8):
            rest = (rest << 1 ^ polynomial if rest & top else rest << 1) & (top << 1) - 1
    return rest
