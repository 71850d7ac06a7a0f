"""Video: frames at even distances; the audio track is a separate column."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from pydantic import PositiveFloat

from sensorium.config import Side
from sensorium.findings import Guess, Unreadable
from sensorium.modalities._base import Encoded, EncoderSpec, Modality, Ragged, Work
from sensorium.modalities._containers import has_sound, holds_sound_alone, is_cut, picture_track
from sensorium.modalities._fields import Channels, Fit, FrameCount
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files
from sensorium.modalities._formats import container_format, is_sound_container, open_container
from sensorium.modalities._pictures import MOST_PIXELS, is_heif, opened
from sensorium.modalities._turns import upright
from sensorium.modalities.image import LARGEST, SMALLEST, Image
from sensorium.table import Column

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".divx", ".3gp", ".3gpp", ".3g2", ".mpg", ".mpeg", ".mpe",
    ".vob", ".ts", ".mts", ".m2ts", ".flv", ".f4v", ".wmv", ".asf",
)  # fmt: skip
UNSURE = (".ts",)  # suffixes that other kinds of files have, too
LEARN_FROM = 50  # videos whose size is read
LISTEN_TO = 10  # videos that are checked for an audio track
GROUND, MAX_PIXELS = 255, 100_000_000
STILL = 0.04  # duration in seconds of a single frame if the file declares none
CLOSE = 1e-6  # seconds within which two timestamps are equal
FAR_BACK = 1 << 40  # ticks before the first timestamp, to seek to the start of a file

Frames = npt.NDArray[np.uint8]
Key: TypeAlias = tuple[float, int]  # seconds of a keyframe, and the seek target in ticks


@dataclass(frozen=True)
class Video(Modality):
    """A video, sampled as frames; its audio is a view, the column `NAME.sound`.

    Encodes to Ragged uint8[total frames, size, size, channels]. Each frame is the one displayed at its time, for
    constant and variable frame rates, rotated as the file declares.

    Attributes:
        frames: frames sampled from a video, at most.
        rate: frames per second; None to take `frames` frames, evenly spaced.
        picture: how each frame is prepared.
    """

    encoder: ClassVar[str] = "frames_cnn"
    cacheable: ClassVar[bool] = True

    frames: FrameCount
    rate: PositiveFloat | None
    size: Side
    channels: Channels
    fit: Fit

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        found = looks_like_files(column, SUFFIXES, _is_video, "video")
        if found:
            others = _all_end_in(column, UNSURE) and not decode_sample(column, _sides, most=LISTEN_TO)
            return None if others or holds_sound_alone(column, SUFFIXES) else found
        if not column.is_string:
            return None
        animated = decode_sample(column, _is_animated, most=10) if _all_end_in(column, (".gif",)) else []
        return Guess(0.995, "animated GIF files") if animated and all(animated) else None

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        return {"sound": "audio"} if any(decode_sample(column, has_sound, most=LISTEN_TO)) else {}

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        frames: FrameCount = 8,
        fps: PositiveFloat | None = None,
        size: Side | None = None,
        channels: Channels = 3,
        fit: Fit = "stretch",
    ) -> Self:
        """Learn the size of the frames.

        Args:
            column: training rows.
            frames: frames sampled from a video, at most.
            fps: frames per second from the start; by default `frames` frames, each from the middle of one of as many
                equal segments (Wang et al. 2016, arXiv:1608.00859).
            size: side in pixels; by default the median shorter side of the training videos, between 16 and 64.
            channels: 1 for grey, 3 for RGB.
            fit: stretch to a square, pad it, or crop its middle.
        """
        if size is None:
            sides = [min(each) for each in decode_sample(column, _sides, most=LEARN_FROM)]
            size = int(np.clip(np.median(sides), SMALLEST, LARGEST)) if sides else LARGEST
        return cls(frames, fps, size, channels, fit)

    @property
    def _picture(self) -> Image:
        return Image(self.size, self.channels, self.fit, GROUND, MAX_PIXELS)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        empty = np.empty((0, self.size, self.size, self.channels), np.uint8)
        cells = [empty] * len(column)
        present, problems = decode_cells(column, self.decode, work, cells.__setitem__)
        return Encoded(Ragged.of(cells, empty), present, problems)

    def decode(self, source: Source) -> Frames:
        """Decode one file to uint8[frames, size, size, channels].

        Raises:
            Unreadable: the file is truncated, damaged, or not a video.
        """
        with open_container(source) as container:
            times, keys = _times(container)
            if is_cut(container, _pictures_of(container), source, times[0], times[-1]):
                raise Unreadable("the video is truncated: it is shorter than the file declares")
            return np.stack([self._prepared(frame) for frame in _on_show(container, self._moments(times), keys)])

    def _moments(self, times: Sequence[float]) -> list[float]:
        """Return the seconds at which frames are taken; `times` are those of all frames, then the end."""
        start, length = times[0], times[-1] - times[0]
        if self.rate:
            count = min(self.frames, max(1, int(np.ceil(length * self.rate))))
            return [start + place / self.rate for place in range(count)]
        count = min(self.frames, len(times) - 1)
        return [start + (place + 0.5) * length / count for place in range(count)]

    def _prepared(self, frame: VideoFrame) -> Frames:
        """Downscale a frame before rotating and squaring it: most of the time is spent on its pixels."""
        shrink = min(1.0, self.size / min(frame.width, frame.height))
        width, height = (max(1, round(side * shrink)) for side in (frame.width, frame.height))
        pixels = frame.reformat(width, height, "rgb24").to_ndarray()
        return self._picture.prepare(Pillow.fromarray(upright(pixels, frame)))

    def encoder_spec(self) -> EncoderSpec:
        return {"channels": self.channels, "size": self.size, "ordered": True}

    def describe(self) -> str:
        how = f"{self.rate:g} frames per second, at most {self.frames}" if self.rate else f"{self.frames} frames"
        return f"{how} of {self._picture.describe()}"


def _times(container: InputContainer) -> tuple[list[float], list[Key]]:
    """Return the seconds of every frame, with the end of the last one; and the keyframes.

    Only packets are read and nothing is decoded: this is fast, and does not rely on declared durations.
    """
    stream = _pictures_of(container)
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


def _pictures_of(container: InputContainer) -> Any:
    stream = picture_track(container)
    if stream is None:
        raise Unreadable("the file has no video track", "set the modality of the column to audio if it is audio")
    return stream


def _on_show(container: InputContainer, moments: Sequence[float], keys: Sequence[Key]) -> list[VideoFrame]:
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
        self.container, self.stream = container, _pictures_of(container)
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


def _sides(source: Source) -> tuple[int, int]:
    """Return width and height of a video's frames as stored."""
    with open_container(source) as container:
        context = _pictures_of(container).codec_context
        return context.width, context.height


def _is_video(head: bytes) -> bool:
    moving = container_format(head) not in (None, "gif")
    return moving and not is_heif(head) and not is_sound_container(head)


def _all_end_in(column: Column, suffixes: tuple[str, ...]) -> bool:
    sample = column.sample(50) if column.is_string else []
    return bool(sample) and all(value.lower().endswith(suffixes) for value in sample)


def _is_animated(source: Source) -> bool:
    with opened(source, MOST_PIXELS) as picture:
        return getattr(picture, "n_frames", 1) > 1
