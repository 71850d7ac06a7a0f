"""Detect truncated files by the size that their container declares."""

from __future__ import annotations

from sensorium.modalities._content import Content, mapped
from sensorium.modalities._files import Source

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  # RFC 8794, RFC 9559
ENDLESS = 0x7FFF_0000  # bytes: recorders write larger sizes as long as the size is unknown
ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # ASF specification, 3.2: file properties
HEADER = 1 << 16  # bytes within which they lie


def sizes(source: Source) -> tuple[int, int]:
    """Return the size of a file in bytes, and the size that it declares (0 if none).

    Of MP4 files, only fragmented ones declare a size; others declare the length of each track.
    """
    with mapped(source) as content:
        wanted = 0
        if content[:4] == b"RIFF":
            size = int.from_bytes(content[4:8], "little")
            wanted = size + 8 if size < ENDLESS else 0
        elif content[:4] == EBML:
            wanted = _segment_end(content)
        elif content[:8] == ASF:
            wanted = _by_properties(content)
        elif content[4:8].isalpha():
            wanted = _fragments_end(content)
        return len(content), wanted


def _segment_end(content: Content) -> int:
    at = number = 0
    for wanted in (EBML, SEGMENT):
        first = content[at + 4 : at + 5]
        width = 9 - first[0].bit_length() if first else 9
        number = int.from_bytes(content[at + 4 : at + 4 + width], "big") - (1 << 7 * width)
        if content[at : at + 4] != wanted or width > 8 or number == (1 << 7 * width) - 1:
            return 0
        at += 4 + width + (number if wanted == EBML else 0)
    return at + number


def _by_properties(content: Content) -> int:
    at = content.find(PROPERTIES, 0, HEADER)
    broadcast = content[at + 88 : at + 89] != b"" and content[at + 88 : at + 89][0] & 1
    return 0 if at < 0 or broadcast else int.from_bytes(content[at + 40 : at + 48], "little")


def _fragments_end(content: Content) -> int:
    """Return the end of the last box of a fragmented file."""
    at, fragments = 0, False
    while at + 8 <= len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        if size < 8 or not name.isalnum():
            return 0
        fragments |= name == b"moof"
        at += size
    return at if fragments else 0
