"""Video: pictures at even distances, and the sound track as a column of its own."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from pydantic import PositiveFloat, PositiveInt

from sensorium.modalities._base import Encoded, Facts, Modality, Ragged, Work
from sensorium.modalities._containers import SHORT, SLACK, has_sound, open_container, seconds_of
from sensorium.modalities._files import Source, decode_cells, decode_sample, looks_like_files
from sensorium.modalities.image import LARGEST, SMALLEST, Image
from sensorium.problems import Unreadable
from sensorium.schema import Guess
from sensorium.table import Column

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
LEARN_FROM = 50  # videos looked at to learn their size
LISTEN_TO = 10  # videos asked whether they have a sound track
GROUND, MAX_PIXELS = 255, 100_000_000
STILL = 0.04  # seconds that a single picture is on show where the file does not say
CLOSE = 1e-6  # seconds within which two moments are the same

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Video(Modality):
    """A video: some of its pictures; its sound is a view, the column `NAME.sound`.

    Encodes to Ragged uint8[total pictures, size, size, channels]. A picture is what is on show at its moment, whatever
    the frame rate and however it varies; turned as the file says.

    Attributes:
        frames: pictures of a video, at most.
        rate: pictures a second; None for all of `frames`, evenly over the video.
        picture: how each of them is prepared.
    """

    encoder: ClassVar[str] = "frames_cnn"
    kept: ClassVar[bool] = True

    frames: int
    rate: float | None
    size: int
    channels: int
    fit: str

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        found = looks_like_files(column, SUFFIXES, lambda head: head[4:8] == b"ftyp", "video")
        if found or not column.is_string:
            return found
        animated = decode_sample(column, _is_animated, most=10) if _all_gif(column) else []
        return Guess(0.995, "GIF files of several pictures") if animated and all(animated) else None

    @classmethod
    def views(cls, column: Column) -> Mapping[str, str]:
        return {"sound": "audio"} if any(decode_sample(column, has_sound, most=LISTEN_TO)) else {}

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        frames: PositiveInt = 8,
        rate: PositiveFloat | None = None,
        size: PositiveInt | None = None,
        channels: Literal[1, 3] = 3,
        fit: Literal["stretch", "pad", "crop"] = "stretch",
    ) -> Self:
        """Args:
        column: training rows.
        frames: pictures of a video, at most.
        rate: pictures a second, from the start; by default `frames` of them, from the middle of as many equal parts
            (Wang et al. 2016, arXiv:1608.00859).
        size: side in pixels; by default the median shorter side of the training videos, between 16 and 64.
        channels: 1 grey, 3 RGB.
        fit: stretch to a square, pad it, or crop its middle.
        """
        if size is None:
            sides = decode_sample(column, _shorter_side, most=LEARN_FROM)
            size = int(np.clip(np.median(sides), SMALLEST, LARGEST)) if sides else LARGEST
        return cls(frames, rate, size, channels, fit)

    @property
    def _picture(self) -> Image:
        return Image(self.size, self.channels, self.fit, GROUND, MAX_PIXELS)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        empty = np.empty((0, self.size, self.size, self.channels), np.uint8)
        cells = [empty] * len(column)
        present, problems = decode_cells(column, self.decode, work, cells.__setitem__)
        return Encoded(Ragged.of(cells, empty), present, problems)

    def decode(self, source: Source) -> Frames:
        """One file → uint8[pictures, size, size, channels].

        Raises:
            Unreadable: truncated, damaged, no video.
        """
        with open_container(source) as container:
            times, keys = _times(container)
            return np.stack([self._prepared(frame) for frame in _on_show(container, self._moments(times), keys)])

    def _moments(self, times: Sequence[float]) -> list[float]:
        """Seconds at which a picture is taken; `times` are those of all pictures, with the end of the last one."""
        start, length = times[0], times[-1] - times[0]
        if self.rate:
            count = min(self.frames, max(1, int(np.ceil(length * self.rate))))
            return [start + place / self.rate for place in range(count)]
        count = min(self.frames, len(times) - 1)
        return [start + (place + 0.5) * length / count for place in range(count)]

    def _prepared(self, frame: VideoFrame) -> Frames:
        """A frame is made small before it is turned and squared: most of the time goes into its pixels."""
        shrink = min(1.0, self.size / min(frame.width, frame.height))
        width, height = (max(1, round(side * shrink)) for side in (frame.width, frame.height))
        pixels = frame.reformat(width, height, "rgb24").to_ndarray()
        turned = np.rot90(pixels, frame.rotation // 90)  # counter-clockwise, as the file means it
        return self._picture.prepare(Pillow.fromarray(np.ascontiguousarray(turned)))

    def facts(self) -> Facts:
        return {"channels": self.channels, "size": self.size, "ordered": True}

    def describe(self) -> str:
        how = f"{self.rate:g} pictures a second, at most {self.frames}" if self.rate else f"{self.frames} pictures"
        return f"{how} of {self._picture.describe()}"


def _times(container: InputContainer) -> tuple[list[float], list[float]]:
    """Seconds of every picture, the end of the last one behind them; and of those that can be decoded by themselves.

    Only packets are read, nothing is decoded: it costs little beside decoding and needs no trust in declared lengths.
    """
    if not container.streams.video:
        raise Unreadable("a file without pictures", "--modality NAME=audio if it is sound")
    stream = container.streams.video[0]
    packets = [p for p in container.demux(stream) if p.pts is not None and p.size]
    base = float(stream.time_base or 0)
    if not packets or not base:
        raise Unreadable("a video without pictures")
    times = sorted(float(p.pts or 0) * base for p in packets)
    step = (packets[-1].duration or 0) * base or (times[-1] - times[0]) / max(1, len(times) - 1) or STILL
    if times[-1] + step - times[0] < SHORT * seconds_of(container, stream) - SLACK:
        raise Unreadable("truncated video: its pictures end before its time")
    return [*times, times[-1] + step], sorted(float(p.pts or 0) * base for p in packets if p.is_keyframe)


def _on_show(container: InputContainer, moments: Sequence[float], keys: Sequence[float]) -> list[VideoFrame]:
    """The frame on show at each moment; jumps ahead where that saves decoding."""
    stream = container.streams.video[0]
    base, found = float(stream.time_base or 1), []
    frames: Any = None
    shown = coming = None
    for moment in moments:
        key = keys[bisect_right(keys, moment) - 1] if keys and moment >= keys[0] else None
        if frames is None or (key is not None and shown is not None and key > shown.time + CLOSE):
            container.seek(round((key or 0) / base), stream=stream)
            frames, shown = container.decode(stream), None
            coming = next(frames, None)
        while coming is not None and (shown is None or coming.time <= moment + CLOSE):
            shown, coming = coming, next(frames, None)
        if shown is None:
            raise Unreadable("damaged video: no picture can be decoded")
        found.append(shown)
    return found


def _shorter_side(source: Source) -> int:
    with open_container(source) as container:
        if not container.streams.video:
            raise Unreadable("a file without pictures")
        context = container.streams.video[0].codec_context
        return min(context.width, context.height)


def _all_gif(column: Column) -> bool:
    sample = column.sample(50)
    return bool(sample) and all(value.lower().endswith(".gif") for value in sample)


def _is_animated(source: Source) -> bool:
    with Pillow.open(source) as picture:
        return getattr(picture, "n_frames", 1) > 1
