"""Containers of video and audio, and audio formats that libsndfile does not support: opened by PyAV, as data only."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sensorium.errors import MissingExtraError
from sensorium.findings import Unreadable
from sensorium.modalities._content import Content, after_tags, mapped
from sensorium.modalities._files import Source

if TYPE_CHECKING:
    from av.container import InputContainer

HEAD = 400  # bytes by which a format is recognized: MPEG transport streams have a sync byte every 188 or 192
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof")
EBML, RIFF, ASF = b"\x1a\x45\xdf\xa3", b"RIFF", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ")  # of MP4 files without video
STARTS = {
    EBML: "matroska",
    ASF: "asf",
    b"GIF8": "gif",
    b"FLV\x01": "flv",
    b"#!AMR": "amr",
    b"\x00\x00\x01\xba": "mpeg",
    b"\x0b\x77": "ac3",
    b"wvpk": "wv",
    b"TTA1": "tta",
}
SOUND = ("aac", "amr", "ac3", "wv", "tta")
INSTALL = "pip install 'sensorium[video]'"


def container_format(head: bytes) -> str | None:
    """Return the demultiplexer for a file that starts with `head`; None if it is not a supported container.

    The demultiplexer is always named: its own detection would follow a playlist to other files and to the network.
    """
    if head[4:8] in BOXES:
        return "mov"
    if head.startswith(RIFF) and head[8:12] == b"AVI ":
        return "avi"
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13:
        return "aac"  # ADTS
    if any(head[at : at + 1] == head[at + step : at + step + 1] == b"G" for at, step in ((0, 188), (4, 192))):
        return "mpegts"
    return next((name for start, name in STARTS.items() if head.startswith(start)), None)


def is_sound_container(head: bytes) -> bool:
    """Return whether a container of this format never contains video."""
    return container_format(head) in SOUND or (head[4:8] == b"ftyp" and head[8:12] in SOUND_BRANDS)


def head_of(content: Content) -> bytes:
    """Return the first bytes after ID3 tags."""
    start = after_tags(content)
    return bytes(content[start : start + HEAD])


@contextmanager
def open_container(source: Source, name: str | None = None) -> Iterator[InputContainer]:
    """Open a container and close it again; every error of the library becomes Unreadable.

    Args:
        name: the demultiplexer; by default detected by the first bytes.

    Raises:
        Unreadable: the file is truncated, damaged, or not a supported container.
        MissingExtraError: PyAV is not installed.
    """
    av = import_av()
    if not name:
        with mapped(source) as content:
            name = container_format(head_of(content))
    if not name:
        kinds = "MP4, MOV, 3GP, WebM, MKV, AVI, MPEG, WMV, FLV or GIF"
        raise Unreadable("not a supported video format", f"convert the file to one of {kinds}")
    with io.BytesIO(source.getbuffer()) if isinstance(source, io.BytesIO) else source.open("rb") as stream:
        try:
            with av.open(stream, format=name) as container:
                yield container
        except Unreadable:
            raise
        # For damaged files the library raises errors of many kinds; each of them means that decoding failed.
        except Exception as error:  # noqa: BLE001
            raise Unreadable(f"the video is damaged or truncated ({_words(error)})") from None


def can_open() -> bool:
    """Return whether PyAV is installed."""
    return find_spec("av") is not None


def import_av() -> Any:
    """Import PyAV.

    Raises:
        MissingExtraError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("PyAV is not installed", cure=INSTALL) from error
    return av


def _words(error: Exception) -> str:
    """Return the error message without numbers and names, so that equal errors are counted together."""
    return getattr(error, "strerror", None) or type(error).__name__
