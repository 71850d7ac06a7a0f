"""Parts of an audio file to read: for libsndfile, one after the other, or for PyAV."""

from __future__ import annotations

import io
from typing import Any, Literal, NamedTuple

from sensorium.findings import Unreadable
from sensorium.modalities._content import Content, after_tags
from sensorium.modalities._files import Source
from sensorium.modalities._flac import with_length
from sensorium.modalities._formats import container_format, head_of
from sensorium.modalities._mp3 import Mpeg, find_mpeg, is_mpeg
from sensorium.modalities._ogg import MARK, find_links
from sensorium.modalities._piped import HEAD, Mended, mended_start
from sensorium.modalities._sizes import ENDLESS

SLACK = 64  # bytes by which headers may be wrong


class SoundParts(NamedTuple):
    """Parts of an audio clip: consecutive files for libsndfile, or a format for PyAV.

    Attributes:
        cut: whether the last file is truncated.
    """

    parts: list[Any]
    cut: bool = False
    container: str | None = None


def parts_of(source: Source, content: Content, mpeg: Mpeg | None, seconds: float) -> SoundParts:
    head = head_of(content)
    if name := container_format(head):
        return SoundParts([], container=name)
    if mpeg:
        trusted = mpeg.trusted and mpeg.first.start == after_tags(content)
        return SoundParts([source]) if trusted else parts_of_frames(mpeg, seconds)
    if head.startswith(MARK):
        links = find_links(content)
        several = len(links.starts) > 1
        return SoundParts([io.BytesIO(content[part]) for part in links.parts()] if several else [source], links.cut)
    if start := with_length(content) or mended_start(content[:HEAD], len(content)):
        return SoundParts([Mended(content, start)])
    _refuse_cut(head, len(content))
    return SoundParts([source])


def mpeg_at_start(content: Content) -> Mpeg | None:
    """Return MPEG audio at the start of a file, maybe after tags; else None."""
    head = head_of(content)
    tagged = content[:3] == b"ID3" and not head.startswith(b"fLaC") and not container_format(head)
    return find_mpeg(content) if tagged or is_mpeg(head) else None


def parts_of_frames(mpeg: Mpeg, seconds: float) -> SoundParts:
    stream, cut = mpeg.whole(seconds)
    return SoundParts([stream], cut) if stream else SoundParts([], container="mp3")


def _refuse_cut(head: bytes, size: int) -> None:
    """Raise Unreadable for a truncated WAV, AIFF or AU file, which libsndfile reads as a shorter one."""
    if size + SLACK < _declared_size(head):
        raise Unreadable("the audio is truncated: the file is shorter than its header declares")


def _declared_size(head: bytes) -> int:
    """Return the bytes that a WAV, AIFF or AU file declares; 0 if it declares none."""
    order: Literal["little", "big"] = "little" if head.startswith(b"RIFF") else "big"
    first, second = (int.from_bytes(head[at : at + 4], order) for at in (4, 8))
    size = {b"RIFF": first + 8, b"FORM": first + 8, b".snd": first + second}.get(head[:4], 0)
    return size if size < ENDLESS else 0
