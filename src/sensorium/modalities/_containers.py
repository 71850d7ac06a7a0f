"""Files that hold pictures and sound together: opened by PyAV, as data alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensorium.errors import MissingExtraError
from sensorium.modalities._files import Source
from sensorium.problems import Nothing, Unreadable

if TYPE_CHECKING:
    from av.container import InputContainer

SHORT = 0.9  # of the length that a file declares, below which it counts as cut
SLACK = 1.0  # seconds that it may be short by in any case
EBML, RIFF = b"\x1a\x45\xdf\xa3", b"RIFF"


def container_format(head: bytes) -> str | None:
    """The demultiplexer for a file that starts like this; None where it is no such container.

    It is always named: left to guess, the library would follow a playlist to other files and to the network.
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if head.startswith(EBML):
        return "matroska"
    if head.startswith(RIFF) and head[8:12] == b"AVI ":
        return "avi"
    return "gif" if head.startswith(b"GIF8") else None


@contextmanager
def open_container(source: Source) -> Iterator[InputContainer]:
    """The file, closed again afterwards; whatever goes wrong with it is Unreadable.

    Raises:
        Unreadable: no such container, cut, damaged.
        MissingExtraError: PyAV is not installed.
    """
    av = _import_av()
    stream = io.BytesIO(source.getbuffer()) if isinstance(source, io.BytesIO) else source.open("rb")
    with stream:
        name = container_format(stream.read(12))
        stream.seek(0)
        if not name:
            raise Unreadable("no video that can be told by its first bytes", "MP4, MOV, WebM, MKV, AVI or GIF")
        try:
            with av.open(stream, format=name) as container:
                yield container
        except Unreadable:
            raise
        # Damaged files make the library raise errors of many kinds; each of them means "can't be decoded".
        except Exception as error:  # noqa: BLE001
            raise Unreadable(f"damaged or cut video ({_words(error)})") from None


def sound_track(source: Source, rate: int, seconds: float) -> npt.NDArray[np.float32]:
    """float32[samples]: the first `seconds` of a container's first sound track, channels averaged, at `rate`.

    Raises:
        Nothing: it has no sound.
        Unreadable: cut or damaged.
    """
    av, wanted = _import_av(), int(np.ceil(seconds * rate))
    with open_container(source) as container:
        declared = min(seconds, _sound_of(container)[1])
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        found, count = [np.zeros(0, np.float32)], 0
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                found.append(part.to_ndarray()[0])
                count += len(found[-1])
            if count >= wanted:
                break
    if count / rate < SHORT * declared - SLACK:
        raise Unreadable("truncated video: its sound ends before its time")
    return np.concatenate(found)[:wanted]


def sound_rate_and_seconds(source: Source) -> tuple[int, float]:
    """As declared.

    Raises:
        Nothing: it has no sound.
    """
    with open_container(source) as container:
        return _sound_of(container)


def has_sound(source: Source) -> bool:
    """Whether a container has a sound track."""
    try:
        with open_container(source) as container:
            return bool(container.streams.audio)
    except Unreadable:
        return False


def seconds_of(container: InputContainer, stream: Any) -> float:
    """What a stream, or else its file, declares; 0 where neither does."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1e6


def _sound_of(container: InputContainer) -> tuple[int, float]:
    if not container.streams.audio:
        raise Nothing("a video without sound")
    stream = container.streams.audio[0]
    return stream.rate, seconds_of(container, stream)


def _import_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("PyAV is not installed", cure="pip install 'sensorium[video]'") from error
    return av


def _words(error: Exception) -> str:
    """Without numbers and names: like faults are counted together."""
    return getattr(error, "strerror", None) or type(error).__name__
