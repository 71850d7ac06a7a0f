"""Tracks of a media container: their kinds and durations, and whether the file is truncated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.modalities._formats import import_av, open_container
from sensorium.modalities._sizes import sizes
from sensorium.modalities._tracks import sound_of

if TYPE_CHECKING:
    from av.container import InputContainer

SHORT = 0.9  # share of the declared duration below which a file counts as truncated
SLACK = 1.0  # seconds that may always be missing
COUNTED = ("aac", "amr", "ac3", "mp3", "mpegts", "mpeg")  # no declared duration: the library estimates it by bit rate
TAKEN_FOR_ALL = ("avi", "asf")  # the library reports the duration of what is there, also for truncated files
COPIED = ("asf", "flv")  # the library copies the duration of the file to its tracks
CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")


def sound_track(source: Source, rate: int, seconds: float, name: str | None = None) -> npt.NDArray[np.float32]:
    """Return float32[samples]: the first `seconds` of the first audio track, averaged over channels, at `rate`.

    Args:
        name: the demultiplexer; by default detected by the first bytes.

    Raises:
        Nothing: the file has no audio track.
        Unreadable: the file is truncated or damaged.
    """
    wanted = int(np.ceil(seconds * rate))
    with open_container(source, name) as container:
        found = decoded_seconds(container, rate, wanted)
        count = sum(map(len, found))
        if count < wanted and is_cut(container, container.streams.audio[0], source, 0, count / rate):
            raise Unreadable("the audio is truncated: it is shorter than the file declares")
    return np.concatenate([np.zeros(0, np.float32), *found])[:wanted]


def sound_rate_and_seconds(source: Source, name: str | None = None) -> tuple[int, float]:
    """Return sampling rate and duration in seconds, as declared or else counted.

    Raises:
        Nothing: the file has no audio track.
    """
    with open_container(source, name) as container:
        stream = sound_of(container)
        own = _own_seconds(container, stream)
        return stream.rate, _end(container, [stream])[0] if own is None else own


def is_cut(container: InputContainer, stream: Any, source: Source, start: float, end: float) -> bool:
    """Return whether a track, which runs from `start` to `end` seconds, is shorter than declared.

    The duration that the track itself declares decides. Otherwise, a file is complete if it has all of its bytes, or if
    any of its tracks runs to the declared end of the file.
    """
    own, kind = _own_seconds(container, stream), container.format.name
    seconds = end if kind == "avi" else end - start  # AVI counts from 0
    size, wanted = sizes(source)
    if kind in TAKEN_FOR_ALL and size < SHORT * wanted:
        return True
    if kind.startswith("mov") and size < wanted:
        return True
    if own is not None or kind.startswith(COUNTED):
        return own is not None and seconds < SHORT * own - SLACK
    if kind.startswith(("matroska", "asf")) and wanted:
        return size < wanted * (1 if kind != "asf" else SHORT)
    declared = (container.duration or 0) / 1e6
    if seconds >= SHORT * declared - SLACK:
        return False
    with open_container(source) as again:
        tracks = [stream for stream in again.streams if stream.type in ("audio", "video")]
        return _end(again, tracks)[1] < SHORT * declared - SLACK


def decoded_seconds(container: InputContainer, rate: int, wanted: int) -> list[npt.NDArray[np.float32]]:
    """Decode at least `wanted` samples, or all if there are fewer."""
    sound_of(container)
    made: Any = None
    resampler: Any = None
    found, count = list[npt.NDArray[np.float32]](), 0
    for frame in container.decode(audio=0):
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != made:  # the format can change within a file
            made, resampler = kind, import_av().AudioResampler(format="flt", layout="mono", rate=rate)
        for part in resampler.resample(frame):
            found.append(part.to_ndarray()[0])
            count += len(found[-1])
        if count >= wanted:
            break
    return found


def _own_seconds(container: InputContainer, stream: Any) -> float | None:
    """Return the declared duration of a track from its first timestamp; None if it declares none."""
    if container.format.name.startswith((*COUNTED, *COPIED)):
        return None
    base = float(stream.time_base or 0)
    if stream.duration is not None and base:
        return float(stream.duration * base)
    # Matroska: the end of the track, which most programs write into its metadata.
    found = next((CLOCK.match(value) for key, value in stream.metadata.items() if key.startswith("DURATION")), None)
    if not found:
        return None
    hours, minutes, rest = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest) - max(0.0, (stream.start_time or 0) * base)


def _end(container: InputContainer, streams: list[Any]) -> tuple[float, float]:
    """Return the total duration of all packets of some tracks, and when the last one ends, in seconds."""
    total = end = 0.0
    for packet in container.demux(*streams):
        length = float((packet.duration or 0) * (packet.time_base or 0))
        total += length
        if packet.pts is not None:
            end = max(end, float(packet.pts * packet.time_base) + length)
    return total, end
