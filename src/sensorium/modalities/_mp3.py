"""MPEG audio, frame by frame: its duration, if the header lacks it or is wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from sensorium.modalities._content import Content, after_tags

RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}  # by version
FIRST, SECOND, THIRD = 3, 2, 1  # codes of the layers in a header
KBITS = {
    (True, FIRST): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, SECOND): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, THIRD): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, FIRST): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, SECOND): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, THIRD): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MPEG_1 = 3  # its code in a header
SURE = 3  # consecutive frames that confirm a start
JUNK = 1 << 16  # bytes to search for the first frame
TAGS = (b"Xing", b"Info")
CLOSE = 0.01  # share of the declared bytes that trailing tags may take


@dataclass(frozen=True)
class Frame:
    """The header of one frame.

    Attributes:
        start, size: its position in bytes.
        kind: version, layer and sampling rate, which all frames of a file share.
        cut: whether the file ends within it.
    """

    start: int
    size: int
    rate: int
    samples: int
    kind: tuple[int, int, int]
    mono: bool
    cut: bool


@dataclass(frozen=True)
class Mpeg:
    """MPEG audio stream.

    Attributes:
        first: its first frame, which may be a header without audio.
        declared: number of audio frames in the header; None without a header.
        trusted: whether the number of bytes in the header is right.
    """

    content: Content
    first: Frame
    declared: int | None
    trusted: bool

    @property
    def rate(self) -> int:
        return self.first.rate

    def frames(self) -> Iterator[Frame]:
        """Yield the audio frames, the last one maybe truncated; other content between them is skipped."""
        at: Frame | None = self.first
        while at and not at.cut:
            if at.start != self.first.start or self.declared is None:
                yield at
            at = _next(self.content, at)
        if at:
            yield at

    def seconds(self) -> float:
        """Return the duration by the header if it is right, otherwise counted."""
        count = self.declared if self.trusted and self.declared else sum(not frame.cut for frame in self.frames())
        return count * self.first.samples / self.rate

    def whole(self, seconds: float) -> tuple[io.BytesIO | None, bool]:
        """Return the first `seconds`, with a header that declares their length, and whether the stream is truncated.

        The audio is None if no header can declare its length: layer II with frames of unequal size.
        """
        wanted = int(seconds * self.rate / self.first.samples) + 2
        frames = list(islice(self.frames(), wanted))
        cut = bool(frames) and frames[-1].cut
        frames = frames[:-1] if cut else frames
        missing = len(frames) < min(wanted, (self.declared or 0) - 1)
        sound = b"".join(self.content[frame.start : frame.start + frame.size] for frame in frames)
        if self.first.kind[1] == THIRD:
            return io.BytesIO(self._header(len(frames), len(sound)) + sound), cut or missing
        sizes = [frame.size for frame in frames]
        return (io.BytesIO(sound) if max(sizes, default=0) - min(sizes, default=0) <= 1 else None), cut

    def _header(self, frames: int, size: int) -> bytes:
        """Return a frame without audio, as LAME and others write it at the start."""
        one = self.content[self.first.start : self.first.start + 4]
        code = 9 if self.first.kind[0] == MPEG_1 else 8  # 128 and 64 kbit/s: large enough at each sampling rate
        start = bytes([one[0], one[1] | 1, code << 4 | one[2] & 0x0C, one[3]])
        made = _frame(start, 0)
        assert made is not None
        body = start + bytes(_side(self.first)) + b"Xing" + (3).to_bytes(4, "big")
        body += frames.to_bytes(4, "big") + (made.size + size).to_bytes(4, "big")
        return body.ljust(made.size, b"\0")


def is_mpeg(head: bytes) -> bool:
    """Return whether a file that starts like this is MPEG audio, layer II or III."""
    found = _frame(head[:4], 0)
    return found is not None and found.kind[1] != FIRST


def find_mpeg(content: Content) -> Mpeg | None:
    """Find the stream after tags and a little junk; None if there are no consecutive frames."""
    start = after_tags(content)
    stop = min(len(content), start + JUNK)
    while (start := content.find(b"\xff", start, stop)) >= 0:
        frame = _frame(content[start : start + 4], start, len(content))
        if frame and frame.kind[1] != FIRST and _goes_on(content, frame):
            return _described(content, frame)
        start += 1
    return None


def _described(content: Content, first: Frame) -> Mpeg:
    found = content[first.start : first.start + first.size]
    at = 4 + _side(first)
    if found[at : at + 4] not in TAGS:
        at += 2  # skip a checksum
    flags = int.from_bytes(found[at + 4 : at + 8], "big")
    if found[at : at + 4] not in TAGS:
        vbri = found[36:40] == b"VBRI"
        frames = int.from_bytes(found[50:54], "big") if vbri else None
        return Mpeg(content, first, frames, False)
    frames = int.from_bytes(found[at + 8 : at + 12], "big") if flags & 1 else 0
    size = int.from_bytes(found[at + 12 : at + 16], "big") if flags & 3 == 3 else 0
    there = len(content) - first.start
    return Mpeg(content, first, frames, frames > 0 and abs(there - size) <= CLOSE * size)


def _side(frame: Frame) -> int:
    """Return the bytes of side information in a layer III frame."""
    return (17 if frame.mono else 32) if frame.kind[0] == MPEG_1 else (9 if frame.mono else 17)


def _frame(head: bytes, start: int, end: int = 1 << 62) -> Frame | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, code, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or code in (0, 15) or rate == 3:
        return None
    first, hertz = version == MPEG_1, RATES[version][rate]
    samples = 384 if layer == FIRST else 1152 if layer == SECOND or first else 576
    slot = 4 if layer == FIRST else 1
    bits = KBITS[first, layer][code - 1] * 1000
    size = (samples // 8 // slot * bits // hertz + (head[2] >> 1 & 1)) * slot
    return Frame(start, size, hertz, samples, (version, layer, rate), head[3] >> 6 == 3, start + size > end)


def _at(content: Content, start: int, kind: tuple[int, int, int]) -> Frame | None:
    frame = _frame(content[start : start + 4], start, len(content))
    return frame if frame and frame.kind == kind else None


def _goes_on(content: Content, frame: Frame) -> bool:
    """Return whether frames of the same kind follow, at least a few or up to the end."""
    for _ in range(SURE - 1):
        behind = frame.start + frame.size
        following = _at(content, behind, frame.kind)
        if not following:
            return not frame.cut and len(content) - behind < 4
        frame = following
    return True


def _next(content: Content, frame: Frame) -> Frame | None:
    """Return the frame after a given one; other content may be between them."""
    start = frame.start + frame.size
    if found := _at(content, start, frame.kind):
        return found
    while (start := content.find(b"\xff", start)) >= 0:
        found = _at(content, start, frame.kind)
        if found and _goes_on(content, found):
            return found
        start += 1
    return None
