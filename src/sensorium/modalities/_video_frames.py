"""Frames of a video at given moments: timestamps, seeking and decoding."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sensorium.findings import Unreadable
from sensorium.modalities._files import Source
from sensorium.modalities._formats import open_container
from sensorium.modalities._tracks import picture_track

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
STILL = 0.04  # duration in seconds of a single frame if the file declares none
CLOSE = 1e-6  # seconds within which two timestamps are equal
FAR_BACK = 1 << 40  # ticks before the first timestamp, to seek to the start of a file
Key: TypeAlias = tuple[float, int]  # seconds of a keyframe, and the seek target in ticks


def frame_times(container: InputContainer) -> tuple[list[float], list[Key]]:
    """Return the seconds of every frame, with the end of the last one; and the keyframes.

    Only packets are read and nothing is decoded: this is fast, and does not rely on declared durations.
    """
    stream = video_track(container)
    base = float(stream.time_base or 0)
    packets = [(moment * base, p) for p in container.demux(stream) if (moment := _moment(p)) is not None and p.size]
    shown = sorted(((moment, place) for place, (moment, p) in enumerate(packets) if not p.is_discard))
    if not shown or not base:
        raise Unreadable("the video has no frames")
    times = [moment for moment, _ in shown]
    last = packets[shown[-1][1]][1]
    step = (last.duration or 0) * base or (times[-1] - times[0]) / max(1, len(times) - 1) or STILL
    keys = sorted((moment, min(p.dts, p.pts)) for moment, p in packets if p.is_keyframe and None not in (p.dts, p.pts))
    return [*times, times[-1] + step], keys


def _moment(packet: Any) -> int | None:
    """Return the presentation timestamp; the decoding timestamp if a file (AVI) has only that."""
    found: int | None = packet.dts if packet.pts is None else packet.pts
    return found


def video_track(container: InputContainer) -> Any:
    stream = picture_track(container)
    if stream is None:
        raise Unreadable("the file has no video track", "set the modality of the column to audio if it is audio")
    return stream


def frames_shown_at(container: InputContainer, moments: Sequence[float], keys: Sequence[Key]) -> list[VideoFrame]:
    """Return the frame displayed at each moment; seeks forward if that saves decoding."""
    film, found = _Film(container), []
    for moment in moments:
        place = bisect_right(keys, (moment + CLOSE, 0)) - 1
        if film.shown is None or (place >= 0 and keys[place][0] > film.shown.time + CLOSE):
            film.jump(keys[max(0, place)][1] if keys else 0, moment)
        found.append(film.at(moment))
    return found


class _Film:
    """Forward decoder of a video.

    Attributes:
        shown: the last frame that was displayed.
    """

    def __init__(self, container: InputContainer) -> None:
        self.container, self.stream = container, video_track(container)
        self.shown: Any = None

    def jump(self, target: int, moment: float) -> None:
        """Continue from a keyframe; from the start if seeking overshoots."""
        for place in (target, min(target, self.stream.start_time or 0) - FAR_BACK):
            try:
                self.container.seek(place, stream=self.stream)
            except OSError:  # some formats raise it before their start, or for a single frame
                continue
            self.frames, self.shown = self.container.decode(self.stream), None
            self.coming: Any = next(self.frames, None)
            if self.coming is not None and self.coming.time <= moment + CLOSE:
                return

    def at(self, moment: float) -> VideoFrame:
        """Return the frame displayed at a given time.

        Raises:
            Unreadable: no frame can be decoded.
        """
        while self.coming is not None and (self.shown is None or self.coming.time <= moment + CLOSE):
            self.shown, self.coming = self.coming, next(self.frames, None)
        if self.shown is None:
            raise Unreadable("the video is damaged: no frame can be decoded")
        return self.shown


def sides_of(source: Source) -> tuple[int, int]:
    """Return width and height of a video's frames as stored."""
    with open_container(source) as container:
        context = video_track(container).codec_context
        return context.width, context.height
